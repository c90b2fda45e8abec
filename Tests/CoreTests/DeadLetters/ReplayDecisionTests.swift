import Testing

@testable import Core

@Suite("The decision of a replay", .timeLimit(.minutes(1)))
struct ReplayDecisionTests {
    private let now = Timestamp(microseconds: 1_900_000_000_000_000)
    private let reader = DeadLetterReader(fingerprinter: Fingerprinter(secret: Array("secret".utf8)))

    private static func claim(_ number: UInt64, fencingToken: Int64 = 1) -> ReplayClaim {
        ReplayClaim(replay: ReplayID(UniqueID(high: 0, low: number)), fencingToken: fencingToken)
    }

    private func deadLetter(
        _ kind: OperationKind,
        _ state: DeadLetterState = .open,
        payment: PaymentID? = nil,
        fencingToken: Int64? = nil
    ) throws -> DeadLetter {
        var message = CommandMessage.valid(kind)
        if let payment { message.headers["payment-id"] = .string(payment.description) }
        var deadLetter = reader.deadLetter(message, .processor, id: DeadLetterID(UniqueID(high: 0, low: 1)), now: now)
        deadLetter.state = state
        deadLetter.reopenedFencingToken = fencingToken
        if state == .replaying {
            deadLetter.claim = DeadLetterClaim(Self.claim(1), until: now.advanced(by: .seconds(1)))
        }
        return deadLetter
    }

    @Test(
        "whatever state its operation is in, a dead letter that is whole is published",
        arguments: OperationState.allCases
    )
    func published(state: OperationState) throws {
        for deadLetterState in [DeadLetterState.open, .replaying] {
            let deadLetter = try deadLetter(.capture, deadLetterState)
            let operation = try PaymentFixture.operation(.capture, state)
            let decision = ReplayDecision(deadLetter, operation: operation, claim: Self.claim(1), now: now)
            guard case .publish(let next) = decision.step else {
                Issue.record("\(decision.step)")
                return
            }
            #expect(next.state == .replaying && decision.deadLetter == next)
            #expect(next.claim == DeadLetterClaim(Self.claim(1), until: now.advanced(by: ReplayClaim.lease)))
            if state == .needsAttention {
                let reopened = try #require(decision.reopened)
                #expect(reopened.state == .unknown && reopened.attempts == 0 && reopened.leaseUntil == now)
                #expect(
                    reopened.fencingToken == operation.fencingToken && reopened.isAmbiguous == operation.isAmbiguous
                )
                #expect(next.reopenedFencingToken == operation.fencingToken)
            } else {
                #expect(decision.reopened == nil)
            }
        }
    }

    @Test("what a replay that was cut off had reopened, and has failed again, is not reopened twice")
    func reopenedOnce() throws {
        let operation = try PaymentFixture.operation(.capture, .needsAttention)
        let same = ReplayDecision(
            try deadLetter(.capture, .replaying, fencingToken: operation.fencingToken),
            operation: operation,
            claim: Self.claim(1),
            now: now
        )
        #expect(same.reopened != nil)
        let before = ReplayDecision(
            try deadLetter(.capture, .replaying, fencingToken: operation.fencingToken - 1),
            operation: operation,
            claim: Self.claim(2),
            // The lease of the one that was cut off is over.
            now: now.advanced(by: .seconds(1))
        )
        #expect(before.reopened == nil && before.deadLetter?.state == .replaying)
        // The replay before this one was not published at all: this is another one.
        let replaying = try deadLetter(.capture, .replaying, fencingToken: operation.fencingToken - 1)
        let givenBack = ReplayEnd.notPublished(reason: "full").applied(to: replaying, at: now)
        #expect(givenBack.state == .open && givenBack.claim == nil)
        let anew = ReplayDecision(givenBack, operation: operation, claim: Self.claim(2), now: now)
        #expect(anew.reopened != nil && anew.deadLetter?.reopenedFencingToken == operation.fencingToken)
        // Perhaps it was published: what it reopened stays known.
        let unknown = ReplayEnd.unknown(reason: "lost").applied(to: replaying, at: now)
        #expect(unknown.seen(at: now).state == .open)
        let after = ReplayDecision(unknown, operation: operation, claim: Self.claim(2), now: now)
        #expect(after.reopened == nil && after.deadLetter?.claim?.claim == Self.claim(2))
    }

    @Test("what another replay has claimed is its own until its lease is over; what this replay has ended is done")
    func claims() throws {
        let deadLetter = try deadLetter(.capture, .replaying)
        for claim in [Self.claim(2), Self.claim(1, fencingToken: 2)] {
            let held = ReplayDecision(deadLetter, operation: nil, claim: claim, now: now)
            #expect(held.step == .held(remaining: .seconds(1)) && held.deadLetter == nil)
            let later = ReplayDecision(deadLetter, operation: nil, claim: claim, now: now.advanced(by: .seconds(1)))
            #expect(later.deadLetter?.claim?.claim == claim)
        }
        #expect(ReplayDecision(deadLetter, operation: nil, now: now).step == .held(remaining: .seconds(1)))
        let ended = ReplayEnd.replayed.applied(to: deadLetter, at: now)
        #expect(ReplayDecision(ended, operation: nil, claim: Self.claim(1, fencingToken: 2), now: now).step == .ended)
        #expect(ReplayDecision(ended, operation: nil, claim: Self.claim(2), now: now).step == .skip(.alreadyReplayed))
    }

    @Test("an operation of another payment or kind under the same key is left alone")
    func foreign() throws {
        let operation = try PaymentFixture.operation(.capture, .needsAttention)
        let other = PaymentID(UniqueID(high: 7, low: 7))
        let deadLetters = [try deadLetter(.capture, payment: other), try deadLetter(.refund)]
        for deadLetter in deadLetters {
            #expect(ReplayDecision(deadLetter, operation: operation, now: now).reopened == nil)
        }
    }

    @Test(
        "an authorize whose card was reduced is skipped, whatever state its operation is in but a final one of its own"
    )
    func reduced() throws {
        let deadLetter = try deadLetter(.authorize)
        for state in [OperationState.sent, .unknown, .needsAttention] {
            let decision = ReplayDecision(
                deadLetter,
                operation: try PaymentFixture.operation(.authorize, state),
                now: now
            )
            #expect(decision.step == .skip(.cardReduced) && decision.deadLetter == nil && decision.reopened == nil)
        }
        #expect(ReplayDecision(deadLetter, operation: nil, now: now).step == .skip(.cardReduced))
        // Completed, but of another command under the same key.
        let foreign = try PaymentFixture.operation(.authorize, .succeeded)
        #expect(ReplayDecision(deadLetter, operation: foreign, now: now).step == .skip(.cardReduced))
        let fingerprint = try #require(deadLetter.command.fingerprint)
        let own = try PaymentFixture.operation(.authorize, .succeeded, fingerprint: fingerprint)
        guard case .answer(let next, own) = ReplayDecision(deadLetter, operation: own, now: now).step else {
            Issue.record("not answered")
            return
        }
        #expect(next.state == .replaying)
    }

    @Test("what is closed is skipped", arguments: [DeadLetterState.replayed, .discarded])
    func closed(state: DeadLetterState) throws {
        let decision = ReplayDecision(try deadLetter(.capture, state), operation: nil, now: now)
        #expect(decision.step == .skip(state == .replayed ? .alreadyReplayed : .discarded))
        #expect(decision.deadLetter == nil)
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
