import Testing

@testable import Core

@Suite("The decision of a replay", .timeLimit(.minutes(1)))
struct ReplayDecisionTests {
    private let now = Timestamp(microseconds: 1_900_000_000_000_000)
    private let reader = DeadLetterReader(fingerprinter: Fingerprinter(secret: Array("secret".utf8)))

    private func letter(
        _ kind: OperationKind,
        _ state: DeadLetterState = .open,
        payment: PaymentID? = nil,
        fence: Int64? = nil
    ) throws -> DeadLetter {
        var message = CommandMessage.valid(kind)
        if let payment { message.headers["payment-id"] = .string(payment.description) }
        var letter = reader.letter(message, .processor, id: DeadLetterID(UniqueID(high: 0, low: 1)), now: now)
        letter.state = state
        letter.reopenedFence = fence
        return letter
    }

    @Test(
        "whatever state its operation is in, a letter that is whole is published",
        arguments: OperationState.allCases
    )
    func published(state: OperationState) throws {
        for letterState in [DeadLetterState.open, .replaying] {
            let letter = try letter(.capture, letterState)
            let operation = try PaymentFixture.operation(.capture, state)
            let decision = ReplayDecision(letter, operation: operation, now: now)
            guard case .publish(let next) = decision.step else {
                Issue.record("\(decision.step)")
                return
            }
            #expect(next.state == .replaying && decision.letter == next)
            if state == .needsAttention {
                let reopened = try #require(decision.reopened)
                #expect(reopened.state == .unknown && reopened.attempts == 0 && reopened.leaseUntil == now)
                #expect(reopened.fence == operation.fence && reopened.isAmbiguous == operation.isAmbiguous)
                #expect(next.reopenedFence == operation.fence)
            } else {
                #expect(decision.reopened == nil)
            }
        }
    }

    @Test("what a replay that was cut off had reopened, and has failed again, is not reopened twice")
    func reopenedOnce() throws {
        let operation = try PaymentFixture.operation(.capture, .needsAttention)
        let same = ReplayDecision(
            try letter(.capture, .replaying, fence: operation.fence),
            operation: operation,
            now: now
        )
        #expect(same.reopened != nil)
        let before = ReplayDecision(
            try letter(.capture, .replaying, fence: operation.fence - 1),
            operation: operation,
            now: now
        )
        #expect(before.reopened == nil && before.letter?.state == .replaying)
        // The replay before this one was not published at all: this is another one.
        let fence = operation.fence - 1
        let anew = ReplayDecision(try letter(.capture, .open, fence: fence), operation: operation, now: now)
        #expect(anew.reopened != nil && anew.letter?.reopenedFence == operation.fence)
    }

    @Test("an operation of another payment or kind under the same key is left alone")
    func foreign() throws {
        let operation = try PaymentFixture.operation(.capture, .needsAttention)
        let other = PaymentID(UniqueID(high: 7, low: 7))
        let letters = [try letter(.capture, payment: other), try letter(.refund)]
        for letter in letters {
            #expect(ReplayDecision(letter, operation: operation, now: now).reopened == nil)
        }
    }

    @Test(
        "an authorize whose card was reduced is skipped, whatever state its operation is in but a final one of its own"
    )
    func reduced() throws {
        let letter = try letter(.authorize)
        for state in [OperationState.sent, .unknown, .needsAttention] {
            let decision = ReplayDecision(letter, operation: try PaymentFixture.operation(.authorize, state), now: now)
            #expect(decision.step == .skip(.cardReduced) && decision.letter == nil && decision.reopened == nil)
        }
        #expect(ReplayDecision(letter, operation: nil, now: now).step == .skip(.cardReduced))
        // Settled, but of another command under the same key.
        let foreign = try PaymentFixture.operation(.authorize, .succeeded)
        #expect(ReplayDecision(letter, operation: foreign, now: now).step == .skip(.cardReduced))
        let fingerprint = try #require(letter.command.fingerprint)
        let own = try PaymentFixture.operation(.authorize, .succeeded, fingerprint: fingerprint)
        guard case .answer(let next, own) = ReplayDecision(letter, operation: own, now: now).step else {
            Issue.record("not answered")
            return
        }
        #expect(next.state == .replaying)
    }

    @Test("what is closed is skipped", arguments: [DeadLetterState.replayed, .discarded])
    func closed(state: DeadLetterState) throws {
        let decision = ReplayDecision(try letter(.capture, state), operation: nil, now: now)
        #expect(decision.step == .skip(state == .replayed ? .alreadyReplayed : .discarded))
        #expect(decision.letter == nil)
    }

    @Test("the state machine is the one that is written down")
    func states() {
        let legal: Set<[DeadLetterState]> = [
            [.open, .replaying], [.open, .discarded], [.replaying, .replaying], [.replaying, .replayed],
            [.replaying, .open],
        ]
        for from in DeadLetterState.allCases {
            for to in DeadLetterState.allCases {
                #expect(from.mayBecome(to) == legal.contains([from, to]), "\(from) to \(to)")
            }
        }
    }
}
