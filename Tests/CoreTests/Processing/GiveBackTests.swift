import Core
import Simulation
import Synchronization
import Testing

/// What a pool of connections does to the store: a call waits for a connection, whatever becomes of its caller, and fails after that.
struct PooledStore: StoreFront {
    final class Link: Sendable {
        private let isDown = Atomic(false)

        var isThere: Bool { !isDown.load(ordering: .relaxed) }

        func setDown(_ down: Bool) { isDown.store(down, ordering: .relaxed) }
    }

    let store: InMemoryPaymentStore
    let time: VirtualTime
    /// Of claims and places only: other work has connections of its own.
    let link: Link
    var place: @Sendable (Command) async -> Void = { _ in }

    static let patience = Duration.seconds(10)

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome {
        try await connection()
        return try await store.claim(request)
    }

    func register(_ command: Command) async throws(StoreError) {
        await place(command)
        try await connection()
        try await store.register(command)
    }

    func checkAvailability() async throws(StoreError) {
        try await connection()
        try await store.checkAvailability()
    }

    private func connection() async throws(StoreError) {
        let until = time.uptime() + Self.patience
        while !link.isThere {
            guard time.uptime() < until else { throw StoreError(.unavailable, detail: "cannot connect") }
            await Self.uncancellably(time, .milliseconds(100))
        }
    }

    static func uncancellably(_ time: VirtualTime, _ duration: Duration) async {
        await withCheckedContinuation { continuation in time.schedule(after: duration) { continuation.resume() } }
    }
}

@Suite("What goes back to the broker", .timeLimit(.minutes(1)))
struct GiveBackTests {
    private static let immediate: @Sendable (UInt64) -> World = { World(seed: $0, storeLatency: .zero) }

    @Test(
        "what is behind a command that goes back goes back with it, whenever the store is there again",
        arguments: [5, 15, 19, 21, 25, 29, 31, 45]
    )
    func followers(seconds: Int) throws {
        let link = PooledStore.Link()
        try World.run(
            make: Self.immediate,
            consumers: { [$0.consumer(store: PooledStore(store: $0.store, time: $0.time, link: link))] }
        ) { world in
            try await world.ask(.authorize, key: "a")
            link.setDown(true)
            world.store.setDown(true)
            world.send(.capture, key: "c")
            world.send(.void, key: "v")
            try await world.time.sleep(for: .seconds(seconds))
            link.setDown(false)
            world.store.setDown(false)
            try await world.until { !world.finalReplies("c").isEmpty && !world.finalReplies("v").isEmpty }
            #expect(world.finalReplies("c").first?.outcome == "succeeded")
            #expect(world.finalReplies("v").first?.code == "invalid_transition")
        }
    }

    @Test("nothing is taken while claims and places cannot be written, although other writes can")
    func partialOutage() throws {
        let link = PooledStore.Link()
        try World.run(
            make: Self.immediate,
            consumers: { [$0.consumer(store: PooledStore(store: $0.store, time: $0.time, link: link))] }
        ) { world in
            link.setDown(true)
            world.send(.authorize, key: "a")
            try await world.time.sleep(for: .seconds(3_600))
            // A message that comes back more often than its delivery limit is a dead letter.
            #expect(world.returns <= 2)
            link.setDown(false)
            try await world.until { !world.finalReplies("a").isEmpty }
            #expect(world.finalReplies("a").first?.outcome == "succeeded")
        }
    }

    @Test("calls to the bank that are given up with the deliveries say nothing about the bank")
    func bankCalls() throws {
        struct PartialStore: StoreFront {
            let store: InMemoryPaymentStore

            func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome {
                if request.command.kind == .capture { throw StoreError(.unavailable, detail: "55P03") }
                return try await store.claim(request)
            }

            func register(_ command: Command) async throws(StoreError) {
                throw StoreError(.unavailable, detail: "55P03")
            }
        }
        try World.run(consumers: { [$0.consumer(store: PartialStore(store: $0.store))] }) { world in
            world.send(.capture, key: "c")
            try await world.time.sleep(for: .seconds(8))
            for number in 0..<20 {
                world.bank.delayNext(by: .seconds(12))
                world.send(.authorize, payment: World.payment(number), key: "a\(number)")
            }
            try await world.until { world.returns == 1 }
            try await world.time.sleep(for: .seconds(1))
            #expect(world.count { if case .breakerChanged = $0 { true } else { false } } == 0)
        }
    }

    @Test("a place that is written after its command was decided holds up nobody")
    func latePlace() throws {
        try World.run(make: Self.immediate) { world in
            try await world.ask(.authorize, key: "a")
            // The bank is out for this processor, so that it asks for a place; the store writes it late.
            let breaker = world.breaker()
            breaker.begin(isUnavailable: true)
            let store = PooledStore(store: world.store, time: world.time, link: PooledStore.Link()) { _ in
                await PooledStore.uncancellably(world.time, .seconds(30))
            }
            let consumer = world.consumer(store: store, breaker: breaker)
            try await withThrowingTaskGroup(of: Void.self) { group in
                let deliveries = world.broker.subscribe()
                group.addTask { await consumer.consume(InMemorySource(deliveries), CommandReading(prefetch: 64)) {} }
                world.send(.capture, key: "c", to: 1)
                try await world.time.sleep(for: .seconds(1))
                // It gives up its deliveries, and another processor gets them.
                group.cancelAll()
                world.send(.capture, key: "c", to: 0)
                try await world.until { !world.finalReplies("c").isEmpty }
            }
            world.send(.refund, key: "r", to: 0)
            try await world.time.sleep(for: .seconds(2))
            #expect(world.finalReplies("r").first?.outcome == "succeeded")
            #expect(world.deferred.isEmpty)
        }
    }
}
