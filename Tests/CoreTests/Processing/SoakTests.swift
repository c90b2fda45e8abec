import Core
import Simulation
import Testing

/// Random trouble, random duplicates, two processes: what must always hold does (docs/correctness.md#invariants).
@Suite("Random trouble", .timeLimit(.minutes(3)))
struct SoakTests {
    @Test("everything drains, and nothing has more than one effect", arguments: 1...60)
    func soak(seed: Int) throws {
        let seed = UInt64(seed)
        try World.run(seeds: [seed], consumers: { [$0.consumer(), $0.consumer()] }) { world in
            var generator = SplitMix64(seed: seed)
            try await Self.disturb(world, using: &generator)
            try await world.drained()
            try await Self.check(world)
        }
    }

    private static let payments = 5

    /// Commands of several payments, most of them more than once, with faults strewn between them.
    private static func disturb(_ world: World, using generator: inout SplitMix64) async throws {
        var messages: [Message] = []
        for number in 0..<payments {
            for kind in OperationKind.allCases {
                for copy in 0..<2 {
                    var message = CommandMessage.valid(kind, payment: World.payment(number), key: "\(kind)-\(number)")
                    message.messageID = "\(kind)-\(number)-\(copy)"
                    messages.append(message)
                }
            }
        }
        messages.shuffle(using: &generator)
        for message in messages {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0: world.bank.inject(BankFault.allCases.randomElement(using: &generator) ?? .down)
            case 1: world.bank.delayNext(by: .seconds(Int.random(in: 0...20, using: &generator)))
            case 2: world.store.inject(.lostAfterCommit, into: .claim)
            case 3: world.store.inject(.lostBeforeCommit, .lostAfterCommit, into: .complete)
            case 4: world.broker.inject(.lost, .refused, .lostConfirm, into: .replies)
            case 5: world.broker.inject(.lost, .lostConfirm, into: .retry)
            case 6:
                world.store.setDown(true)
                let store = world.store
                world.time.schedule(after: .seconds(Int.random(in: 1...40, using: &generator))) { store.setDown(false) }
            default: break
            }
            world.broker.deliver(message)
            try await world.time.sleep(for: .milliseconds(Int.random(in: 0...2_000, using: &generator)))
        }
    }

    private static func check(_ world: World) async throws {
        let ledger = world.bank.ledger
        for number in 0..<payments {
            guard let id = PaymentID(World.payment(number)), let view = try await world.store.payment(id) else {
                continue
            }
            let open = view.operations.filter { !$0.state.isFinal && $0.state != .needsAttention }
            #expect(open.isEmpty, "open: \(open.map(\.kind))")
            for operation in view.operations {
                let effects = ledger.filter { $0.idempotencyKey == operation.bankKey }
                // At most one effect per key, but for the gap that the bank leaves for authorize, which is recorded.
                if operation.kind == .authorize {
                    let isRecorded = view.history.contains { $0.cause.contains("orphan") }
                    #expect(effects.count <= 1 || isRecorded || operation.state == .needsAttention)
                } else {
                    #expect(effects.count <= 1)
                }
                if operation.state == .succeeded { #expect(effects.count >= 1) }
                if operation.state == .declined {
                    let isRecorded = view.history.contains { $0.cause.contains("orphan") }
                    #expect(effects.isEmpty || operation.kind == .authorize && isRecorded)
                }
                try checkReplies(world, operation)
            }
            let kinds = ledger.filter { $0.authorizationID == view.payment.bank.authorizationID }.map(\.operation)
            // docs/correctness.md#money-moves-once
            #expect(kinds.count { $0 == .capture } + kinds.count { $0 == .void } <= 1)
            #expect(kinds.count { $0 == .refund } <= kinds.count { $0 == .capture })
            // docs/correctness.md#legal-history
            let steps = view.history.filter { $0.from != $0.to }
            #expect(Int64(steps.count) == view.payment.version)
            for (before, after) in zip(steps, steps.dropFirst()) {
                #expect(after.from == before.to && before.to.mayBecome(after.to))
            }
        }
        #expect(world.broker.unacknowledged == 0)
    }

    /// docs/correctness.md#same-key-same-reply and docs/correctness.md#outcomes-are-reported
    private static func checkReplies(_ world: World, _ operation: Operation) throws {
        let replies = world.replies(operation.idempotencyKey.description)
        let final = replies.filter { $0.message.messageID == "\(operation.id)-final" }
        guard let stored = operation.reply else {
            #expect(final.isEmpty)
            #expect(operation.state != .needsAttention || !replies.isEmpty)
            return
        }
        #expect(!final.isEmpty)
        #expect(final.allSatisfy { $0.message.body == stored })
    }
}
