import Testing

@testable import Core

/// Commands of one payment are applied in the order in which they arrived, whatever made them wait
/// (docs/correctness.md#overtaking).
@Suite("Commands that wait keep their order", .timeLimit(.minutes(1)))
struct WaitingLineTests {
    private let now = PaymentFixture.createdAt
    private let fingerprinter = Fingerprinter(secret: [1])

    private func decide(
        _ kind: OperationKind,
        _ status: PaymentStatus?,
        behind waiting: [WaitingCommand],
        hasWaited: Bool = true
    ) throws -> ClaimDecision {
        let request = ClaimRequest(
            command: try PaymentFixture.command(kind),
            operationID: OperationID(UniqueID(high: 3, low: 4)),
            token: ClaimToken(UniqueID(high: 5, low: 6)),
            lease: .seconds(40),
            hasWaited: hasWaited
        )
        return ClaimDecision(
            request,
            existing: nil,
            payment: try status.map { try PaymentFixture.payment($0) },
            waiting: waiting,
            now: now,
            fingerprinter: fingerprinter
        )
    }

    private func waiting(
        _ kind: OperationKind,
        _ position: Int64,
        key: String = "other",
        merchant: MerchantID = .default
    ) throws -> WaitingCommand {
        WaitingCommand(
            merchantID: merchant,
            idempotencyKey: try #require(IdempotencyKey(key)),
            kind: kind,
            messageID: "message of \(key)",
            position: position
        )
    }

    /// The place of the command that `decide` is about.
    private func own(_ kind: OperationKind, _ position: Int64) throws -> WaitingCommand {
        WaitingCommand(try PaymentFixture.command(kind), position: position)
    }

    @Test("a command waits behind every earlier one of its payment that waits, though the state would allow it")
    func behind() throws {
        for (kind, status) in [
            (OperationKind.void, PaymentStatus.authorized), (.refund, .captured), (.capture, .voided),
        ] {
            let earlier = try waiting(.capture, 1)
            let first = try decide(kind, status, behind: [earlier])
            #expect(first.outcome == .wait(.earlierCommand, try PaymentFixture.payment(status)))
            #expect(first.registration == .add)
            let again = try decide(kind, status, behind: [earlier, try own(kind, 2)])
            #expect(again.outcome == .wait(.earlierCommand, try PaymentFixture.payment(status)))
            #expect(again.registration == .unchanged)
        }
    }

    @Test("the one that came first goes on, whoever waits behind it, and leaves the line")
    func first() throws {
        let decision = try decide(.capture, .authorized, behind: [try own(.capture, 1), try waiting(.void, 2)])
        guard case .claimed = decision.outcome else {
            Issue.record("not claimed: \(decision.outcome)")
            return
        }
        #expect(decision.registration == .removeAllCopies)
    }

    @Test("every copy of a command has the place of the first, and one that is refused takes it from no other")
    func copies() throws {
        let command = try PaymentFixture.command(.void)
        let copy = WaitingCommand(
            merchantID: command.merchantID,
            idempotencyKey: command.idempotencyKey,
            kind: .void,
            messageID: "another copy",
            position: 1
        )
        let capture = try waiting(.capture, 2)
        // Behind its own copy, but before the capture.
        guard case .claimed = try decide(.void, .authorized, behind: [copy, capture]).outcome else {
            Issue.record("not claimed")
            return
        }
        #expect(try decide(.void, nil, behind: [copy, capture]).registration == .unchanged)
        #expect(try decide(.void, nil, behind: [copy, capture, own(.void, 3)]).registration == .remove)
    }

    @Test("what another merchant sends under the payment id is in nobody's way")
    func otherMerchant() throws {
        let stranger = try waiting(.capture, 1, merchant: MerchantID(verified: "stranger"))
        guard case .claimed = try decide(.void, .authorized, behind: [stranger]).outcome else {
            Issue.record("not claimed")
            return
        }
    }

    @Test("an authorize comes before all that wait for it, but not before an earlier authorize")
    func authorize() throws {
        guard case .claimed = try decide(.authorize, nil, behind: [try waiting(.capture, 1)]).outcome else {
            Issue.record("not claimed")
            return
        }
        let decision = try decide(.authorize, nil, behind: [try waiting(.authorize, 1)])
        #expect(decision.outcome == .wait(.earlierCommand, nil))
        #expect(decision.registration == .add)
        // Where the payment exists, the other one changes nothing any more.
        guard case .claimed = try decide(.capture, .authorized, behind: [try waiting(.authorize, 1)]).outcome else {
            Issue.record("not claimed")
            return
        }
    }

    @Test("a capture waits a retry tier for an authorize that is not known, and for one that waits as long as it does")
    func unknownAuthorize() throws {
        let first = try decide(.capture, nil, behind: [], hasWaited: false)
        #expect(first.outcome == .wait(.authorizeUnknown, nil))
        #expect(first.registration == .add)
        let place = try own(.capture, 1)
        let second = try decide(.capture, nil, behind: [place], hasWaited: true)
        #expect(second.outcome == .rejected(.paymentNotFound, nil))
        #expect(second.registration == .remove)
        // Deferred by an outage, before or after it.
        for position in [Int64(0), 2] {
            let authorize = try waiting(.authorize, position)
            let decision = try decide(.capture, nil, behind: [place, authorize], hasWaited: true)
            #expect(decision.outcome == .wait(.authorizeUnknown, nil))
        }
    }

    @Test("what is wrong with the command itself is said at once")
    func mismatch() throws {
        let request = ClaimRequest(
            command: try PaymentFixture.command(.capture, amount: 1),
            operationID: OperationID(UniqueID(high: 3, low: 4)),
            token: ClaimToken(UniqueID(high: 5, low: 6)),
            lease: .seconds(40)
        )
        let decision = ClaimDecision(
            request,
            existing: nil,
            payment: try PaymentFixture.payment(.authorized),
            waiting: [try waiting(.capture, 1)],
            now: now,
            fingerprinter: fingerprinter
        )
        guard case .completed(let operation, isReplay: false) = decision.outcome else {
            Issue.record("not rejected: \(decision.outcome)")
            return
        }
        #expect(operation.state == .rejected)
    }
}
