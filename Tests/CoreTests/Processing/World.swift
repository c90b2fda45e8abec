import Core
import Simulation
import Synchronization
import Testing

/// The real consumer over a store, a bank and a broker in memory, in virtual time.
struct World: Sendable {
    let time = VirtualTime()
    let random: SeededRandom
    let store: InMemoryPaymentStore
    let bank: InMemoryBank
    let broker: InMemoryBroker
    let observer = RecordingObserver()
    var limits = HandlerLimits(
        bankTimeout: .seconds(15),
        bankWorstCase: .seconds(17),
        lease: .seconds(37),
        busyAfter: .seconds(120)
    )

    /// How much its consumers may hold.
    var prefetch = 64

    init(
        seed: UInt64 = 1,
        bringsBack: Bool = true,
        storeLatency: Duration = .milliseconds(2),
        _ configure: (inout InMemoryBank.Configuration) -> Void = { _ in }
    ) {
        random = SeededRandom(seed: seed)
        store = InMemoryPaymentStore(
            // Another machine's clock, an hour behind: nothing may depend on its agreeing with ours
            // (docs/correctness.md#whose-clock).
            clock: SkewedTime(time, ahead: .seconds(-3_600)),
            fingerprinter: Self.fingerprinter,
            latency: storeLatency
        )
        var configuration = InMemoryBank.Configuration()
        let expiry = Timestamp(microseconds: 4_000_000_000_000_000)
        let card = BankAccount(
            number: CommandMessage.number,
            cvv: CommandMessage.cvv,
            expiresAt: expiry,
            cents: 1_000_000
        )
        configuration.accounts = [card] + BankAccount.testCards.dropFirst()
        configure(&configuration)
        bank = InMemoryBank(time: time, random: random, configuration: configuration)
        broker = InMemoryBroker(time: time, bringsBack: bringsBack)
    }

    static let fingerprinter = Fingerprinter(secret: Array("secret".utf8))

    func consumer(
        store: (any StoreFront)? = nil,
        bank: (any Bank)? = nil,
        breaker: CircuitBreaker? = nil
    ) -> CommandConsumer {
        CommandConsumer(
            context(store: store, bank: bank, breaker: breaker),
            sink: broker,
            fingerprinter: Self.fingerprinter
        )
    }

    func context(
        store: (any StoreFront)? = nil,
        bank: (any Bank)? = nil,
        breaker: CircuitBreaker? = nil
    ) -> ProcessorContext {
        ProcessorContext(
            store: store ?? self.store,
            bank: bank ?? self.bank,
            breaker: breaker ?? self.breaker(),
            time: time,
            random: random,
            observer: observer,
            limits: limits
        )
    }

    func breaker() -> CircuitBreaker { CircuitBreaker(time: time, random: random, observer: observer) }

    /// Runs the consumers while the work is done, in several interleavings.
    static func run(
        seeds: [UInt64?] = [nil, 1, 2, 3],
        make: @Sendable (UInt64) -> World = { World(seed: $0) },
        consumers: @escaping @Sendable (World) -> [CommandConsumer] = { [$0.consumer()] },
        _ work: @escaping @Sendable (World) async throws -> Void
    ) throws {
        for seed in seeds {
            let world = make(seed ?? 0)
            try StepExecutor(seed: seed).run(in: world.time) {
                await withThrowingTaskGroup(of: Void.self) { group in
                    for consumer in consumers(world) {
                        let deliveries = world.broker.subscribe()
                        group.addTask { await world.serve(consumer, deliveries) }
                    }
                    do {
                        try await work(world)
                        world.broker.finish()
                    } catch {
                        Issue.record(error, "with seed \(seed.map(String.init) ?? "none")")
                    }
                    group.cancelAll()
                }
            }
            // Two requests under one key at the same time are never there (docs/correctness.md#unlocked-keys).
            #expect(world.bank.overlaps == 0)
        }
    }

    /// As `CommandSubscription` does it.
    func serve(_ consumer: CommandConsumer, _ deliveries: AsyncStream<any Delivery>) async {
        var deliveries = deliveries
        while true {
            let returns = broker.returns
            await consumer.consume(InMemorySource(deliveries), CommandReading(prefetch: prefetch)) { broker.giveBack() }
            guard broker.returns > returns, (try? await consumer.untilStoreIsAvailable()) != nil else { return }
            deliveries = broker.subscribe()
        }
    }

    // MARK: Commands

    static let payment = CommandMessage.paymentID

    /// A fresh payment id, the same for the same number.
    static func payment(_ number: Int) -> String {
        UniqueID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0000 + UInt64(number)).description
    }

    @discardableResult
    func send(
        _ kind: OperationKind,
        payment: String = payment,
        key: String,
        body: String? = nil,
        to consumer: Int? = nil,
        _ change: (inout Message) -> Void = { _ in }
    ) -> Message {
        var message = CommandMessage.valid(kind, payment: payment, key: key, body: body)
        message.messageID = "message-\(key)"
        change(&message)
        broker.deliver(message, to: consumer)
        return message
    }

    /// Sends, and waits for the final reply.
    @discardableResult
    func ask(_ kind: OperationKind, payment: String = payment, key: String, body: String? = nil) async throws
        -> ReplySeen
    {
        let before = finalReplies(key).count
        send(kind, payment: payment, key: key, body: body)
        try await until { finalReplies(key).count > before }
        return try #require(finalReplies(key).last)
    }

    // MARK: Waiting and looking

    /// Waits for a condition, for at most that many hours.
    func until(
        hours: Int = 2,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: () async throws -> Bool
    ) async throws {
        var pause = Duration.milliseconds(5)
        for _ in 0..<(3_600 * hours + 800) {
            if try await condition() { return }
            try await time.sleep(for: pause)
            pause = min(pause * 1.05, .seconds(1))
        }
        Issue.record("waited in vain", sourceLocation: sourceLocation)
        throw WaitedInVain()
    }

    private struct WaitedInVain: Error {}

    /// Waits until every delivery is done with and none rests on a retry tier, for at most three days.
    func drained(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        for _ in 0..<(3 * 86_400) {
            if broker.unacknowledged == 0, broker.resting == 0, broker.waiting == 0 { return }
            try await time.sleep(for: .seconds(1))
        }
        Issue.record("never drained", sourceLocation: sourceLocation)
        throw WaitedInVain()
    }

    var replies: [ReplySeen] { broker.messages(.replies).compactMap { ReplySeen($0.message, $0.destination) } }

    func replies(_ key: String) -> [ReplySeen] {
        broker.messages(.replies)
            .filter { $0.message.headers[HeaderName.idempotencyKey] == .string(key) }
            .compactMap { ReplySeen($0.message, $0.destination) }
    }

    func finalReplies(_ key: String) -> [ReplySeen] { replies(key).filter(\.isFinal) }

    var deferred: [(message: Message, destination: Destination)] { broker.messages(.retry) }

    var deadLetters: [Message] { broker.messages(.deadLetters).map(\.message) }

    func view(_ payment: String = payment) async throws -> PaymentView {
        let id = try #require(PaymentID(payment))
        return try #require(try await store.payment(id))
    }

    /// How often the deliveries were given back, the store being unavailable.
    var returns: Int { count { if case .commandsGivenBack = $0 { true } else { false } } }

    func count(_ matches: (ProcessorEvent) -> Bool) -> Int { observer.events.count(where: matches) }
}

/// A reply, as its reader sees it.
struct ReplySeen: Sendable {
    let message: Message
    let destination: Destination
    let body: JSONValue

    init?(_ message: Message, _ destination: Destination) {
        guard let body = try? JSONParser.parse(message.body) else { return nil }
        self.message = message
        self.destination = destination
        self.body = body
    }

    var key: String? { body["idempotency_key"]?.string }
    var outcome: String? { body["outcome"]?.string }
    var code: String? { body["error"]?["code"]?.string }
    var status: String? { body["payment"]?["status"]?.string }
    var isFinal: Bool { body["final"] == .bool(true) }
    var isReplayed: Bool? {
        switch message.headers["idempotent-replayed"] {
        case .bool(let value): value
        default: nil
        }
    }
}

/// Lines in the order in which they came.
final class Log: Sendable {
    private let state = Mutex<[String]>([])

    func add(_ line: String) { state.withLock { $0.append(line) } }

    var lines: [String] { state.withLock { $0 } }
}
