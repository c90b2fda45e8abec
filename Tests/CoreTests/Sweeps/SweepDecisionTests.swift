import Testing

@testable import Core

/// What the sweeps decide about a row, as tables.
@Suite("What sweeps decide", .timeLimit(.minutes(1)))
struct SweepDecisionTests {
    private static let now = PaymentFixture.createdAt.advanced(by: .seconds(3_600))

    private static func check(_ change: (inout SweepPolicy) -> Void = { _ in }) -> OpenCheck {
        var policy = SweepPolicy()
        change(&policy)
        let token = ClaimToken(UniqueID(high: 5, low: 5))
        return OpenCheck(limit: 10, dueBy: nil, token: token, lease: .seconds(37), policy: policy, random: 0)
    }

    @Test(
        "what is final, or under manual review, is forgotten when it is reported",
        arguments: [OperationState.succeeded, .declined, .rejected, .needsAttention],
        [0, 1]
    )
    func forget(_ state: OperationState, checks: Int) throws {
        var operation = try PaymentFixture.operation(.capture, state)
        operation.isNotified = true
        #expect(OpenDecision(operation, checks: checks, Self.check(), now: Self.now) == .forget)
    }

    @Test(
        "what is final, or under manual review, and was not reported is reported, but never at the first check nor within its lease",
        arguments: [OperationState.succeeded, .declined, .rejected, .needsAttention]
    )
    func notify(_ state: OperationState) throws {
        let over = try PaymentFixture.operation(.capture, state)
        guard case .wait(let next) = OpenDecision(over, checks: 0, Self.check(), now: Self.now) else {
            Issue.record("not waited for")
            return
        }
        #expect(Self.now.duration(to: next) >= .seconds(15))
        #expect(OpenDecision(over, checks: 1, Self.check(), now: Self.now) == .notify)
        let until = Self.now.advanced(by: .seconds(600))
        let leased = try PaymentFixture.operation(.capture, state, leaseUntil: until)
        #expect(OpenDecision(leased, checks: 1, Self.check(), now: Self.now) == .wait(until: until))
    }

    @Test("what is leased or resting waits, until it is neither", arguments: [OperationState.sent, .unknown])
    func wait(_ state: OperationState) throws {
        let until = Self.now.advanced(by: .seconds(600))
        let operation = try PaymentFixture.operation(.capture, state, leaseUntil: until)
        #expect(OpenDecision(operation, checks: 0, Self.check(), now: Self.now) == .wait(until: until))
        guard case .take = OpenDecision(operation, checks: 0, Self.check(), now: until) else {
            Issue.record("not taken")
            return
        }
    }

    @Test(
        "what needs no card is taken over, and checked again after its lease",
        arguments: [OperationKind.capture, .void, .refund],
        [OperationState.sent, .unknown]
    )
    func take(_ kind: OperationKind, _ state: OperationState) throws {
        let operation = try PaymentFixture.operation(kind, state, fencingToken: 3, attempts: 4)
        guard case .take(let taken, let next) = OpenDecision(operation, checks: 0, Self.check(), now: Self.now) else {
            Issue.record("not taken")
            return
        }
        #expect(taken.fencingToken == 4)
        #expect(taken.attempts == 5)
        #expect(taken.state == .sent)
        #expect(taken.leaseUntil == Self.now.advanced(by: .seconds(37)))
        #expect(taken.claimToken == Self.check().token)
        #expect(taken.bankKey == operation.bankKey)
        #expect(taken.sends.unanswered == (state == .sent ? 1 : 0))
        #expect(next >= taken.leaseUntil)
    }

    @Test(
        "an authorize waits for its delivery; after 23 hours it is given up where it may have reached the bank",
        arguments: [
            (OperationState.sent, 0, 22.9, 0, false), (.sent, 0, 23.0, 0, true), (.unknown, 1, 23.0, 0, true),
            // Never sent: only when the bank could be reached for as long.
            (.unknown, 0, 23.0, 0, false), (.unknown, 0, 1_000, 23, false), (.unknown, 0, 23.0, 24, true),
            (.unknown, 0, 22.9, 100, false),
        ]
    )
    func abandon(_ state: OperationState, _ sends: Int, _ hours: Double, _ checks: Int, _ isGivenUp: Bool) throws {
        let operation = try PaymentFixture.operation(.authorize, state, sends: EarlierSends(unanswered: sends))
        let now = PaymentFixture.createdAt.advanced(by: .seconds(Int64(hours * 3_600)))
        let decision = OpenDecision(operation, checks: checks, Self.check(), now: now)
        switch decision {
        // To be given up, or to be asked by its key.
        case .take(let taken, _):
            #expect((taken.state == .sent) == isGivenUp)
            #expect(isGivenUp || taken.attempts == operation.attempts)
        case .forget, .notify, .wait: Issue.record("\(decision)")
        }
    }

    @Test(
        "an authorization past its expiry is asked about, voided, waited for or forgotten by the payment's state",
        arguments: PaymentStatus.allCases
    )
    func authorization(_ status: PaymentStatus) throws {
        let payment = try PaymentFixture.payment(status)
        let expected: (AuthorizationDecision, voiding: AuthorizationDecision) =
            switch status {
            case .authorized: (.ask, .ask)
            case .expired: (.forget, .void)
            case .pending, .capturing, .voiding: (.wait, .wait)
            case .captured, .refunding, .refunded, .voided, .failed: (.forget, .forget)
            }
        #expect(AuthorizationDecision(payment, voidsExpired: false) == expected.0)
        #expect(AuthorizationDecision(payment, voidsExpired: true) == expected.voiding)
    }

    private static let expiresAt = "2026-02-07T12:00:00Z"

    private static func answer(
        status: Int = 200,
        id: String = "auth_1",
        expiresAt: String? = expiresAt,
        date: String? = "2026-02-07T13:00:01Z"
    ) -> BankAnswer {
        let body = JSONValue.object(["authorization_id": .string(id), "expires_at": .optional(expiresAt)])
        return .response(BankResponse(status: status, body: .json(body), date: date.flatMap { Timestamp($0) }))
    }

    @Test(
        "an expiry is proven by the bank's expires_at against its own clock less the grace period, and by nothing else"
    )
    func proof() throws {
        let payment = try PaymentFixture.payment(.authorized)
        func isProof(_ answer: BankAnswer, grace: Duration = .seconds(3_600)) -> Bool {
            ExpiryProof(payment, answer, grace: grace) != nil
        }
        #expect(isProof(Self.answer()))
        #expect(!isProof(Self.answer(date: "2026-02-07T13:00:00Z")))
        #expect(!isProof(Self.answer(date: "2026-02-07T12:59:59Z")))
        #expect(isProof(Self.answer(date: "2026-02-07T12:00:01Z"), grace: .zero))
        #expect(!isProof(Self.answer(status: 404)))
        #expect(!isProof(Self.answer(status: 500)))
        #expect(!isProof(Self.answer(id: "auth_2")))
        #expect(!isProof(Self.answer(expiresAt: nil)))
        #expect(!isProof(Self.answer(date: nil)))
        #expect(!isProof(.noAnswer(reason: "timeout")))
        #expect(!isProof(.notSent(reason: "refused")))
        #expect(!isProof(.response(BankResponse(status: 200, body: .text("<html>")))))
    }

    @Test("an expiry is written for an authorized payment only", arguments: PaymentStatus.allCases)
    func expiry(_ status: PaymentStatus) throws {
        let proof = try #require(
            ExpiryProof(try PaymentFixture.payment(.authorized), Self.answer(), grace: .zero)
        )
        let expiry = Expiry(proof, try PaymentFixture.payment(status), operation: PaymentFixture.operationID)
        #expect((expiry != nil) == (status == .authorized))
        #expect(expiry.map { $0.payment.status == .expired && $0.transition.to == .expired } != false)
    }

    @Test(
        "the dates of HTTP are read in the form that must be sent",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"),
            ("Thu, 29 Feb 2024 23:59:60 GMT", "2024-02-29T23:59:59Z"),
            ("Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00Z"),
            ("Sunday, 06-Nov-94 08:49:37 GMT", nil), ("Sun Nov  6 08:49:37 1994", nil), ("", nil),
            ("Sun, 31 Feb 2026 08:49:37 GMT", nil), ("Sun, 06 Nov 1994 24:49:37 GMT", nil),
            ("Sun, 06 Nov 1994 08:49:37 UTC", nil), ("Sun, 06 Nov 1994 8:49:37 GMT", nil),
            ("Sun, 06 Nov 94 08:49:37 GMT", nil),
        ] as [(String, String?)]
    )
    func httpDate(_ text: String, _ expected: String?) {
        #expect(Timestamp(httpDate: text) == expected.flatMap { Timestamp($0) })
    }
}

@Suite("The schedule of the sweeps", .timeLimit(.minutes(1)))
struct SweepSlotTests {
    private static func at(_ microseconds: Int64) -> Timestamp { Timestamp(microseconds: microseconds) }

    @Test(
        "slots are the multiples of the period, whoever computes them",
        arguments: [
            (0, 60_000_000, 0), (59_999_999, 60_000_000, 0), (60_000_000, 60_000_000, 60_000_000),
            (61_234_567, 60_000_000, 60_000_000), (-1, 60_000_000, -60_000_000), (-60_000_000, 60_000_000, -60_000_000),
            (1_999_999, 100_000, 1_900_000), (7, 0, 7),
        ] as [(Int64, Int64, Int64)]
    )
    func slot(_ instant: Int64, _ period: Int64, _ start: Int64) {
        let slot = SweepSlot(of: .reconcile, containing: Self.at(instant), period: .microseconds(period))
        #expect(slot == SweepSlot(job: .reconcile, start: Self.at(start)))
    }

    @Test("the slots of a day follow each other without gap or overlap")
    func day() {
        let period = Duration.seconds(300)
        var slot = SweepSlot(of: .expire, containing: Self.at(1_770_000_012_345_678), period: period)
        for _ in 0..<288 {
            let end = slot.end(period: period)
            let last = SweepSlot(of: .expire, containing: end.advanced(by: .microseconds(-1)), period: period)
            #expect(last == slot)
            let next = SweepSlot(of: .expire, containing: end, period: period)
            #expect(next.start == end)
            slot = next
        }
    }

    @Test("a tick says which slot of which job has begun", arguments: SweepJob.allCases)
    func tick(_ job: SweepJob) {
        let slot = SweepSlot(job: job, start: Self.at(1_770_000_000_100_000))
        let message = SweepTick.message(slot)
        #expect(SweepTick.slot(of: message) == slot)
        #expect(message.messageID == SweepTick.message(slot).messageID)
    }

    @Test("what is no tick is none")
    func noTick() {
        let slot = SweepSlot(job: .expire, start: Self.at(0))
        var message = SweepTick.message(slot)
        message.type = "payment.capture.v1"
        #expect(SweepTick.slot(of: message) == nil)
        for body in ["", "{}", #"{"job":"expire"}"#, #"{"job":"other","slot":"1970-01-01T00:00:00Z"}"#, "[1]"] {
            message = SweepTick.message(slot)
            message.body = Array(body.utf8)
            #expect(SweepTick.slot(of: message) == nil)
        }
    }

    @Test("the pause between two checks doubles up to an hour, and is never the same for two rows")
    func backoff() {
        let policy = SweepPolicy()
        for checks in 0..<40 {
            let window = min(Duration.seconds(30 << min(checks, 12)), .seconds(3_600))
            for word: UInt64 in [0, 1, 12_345_678_901, .max] {
                let pause = policy.backoff(checks: checks, random: word)
                #expect(pause >= window / 2 && pause < window)
            }
        }
        #expect(policy.backoff(checks: 3, random: 1) != policy.backoff(checks: 3, random: 2))
        #expect(policy.backoff(checks: -1, random: 0) == .seconds(15))
    }
}
