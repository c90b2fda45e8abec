import Testing

@testable import Core

@Suite("Operation results", .timeLimit(.minutes(1)))
struct OperationResultTests {
    private func claim(_ kind: OperationKind, origin: PaymentStatus? = nil) throws -> Claim {
        let operation = try PaymentFixture.operation(kind, .sent)
        guard let origin else { return Claim(operation: operation, payment: try PaymentFixture.held(by: kind)) }
        let changed = Operation(
            id: operation.id,
            merchantID: operation.merchantID,
            idempotencyKey: operation.idempotencyKey,
            kind: kind,
            paymentID: operation.paymentID,
            fingerprint: operation.fingerprint,
            bankKey: operation.bankKey,
            route: operation.route,
            createdAt: operation.createdAt,
            origin: origin,
            firstSentAt: operation.firstSentAt,
            state: .sent,
            fencingToken: 1,
            leaseUntil: operation.leaseUntil,
            claimToken: operation.claimToken,
            attempts: 1
        )
        return Claim(operation: changed, payment: try PaymentFixture.held(by: kind))
    }

    @Test("a success has its reply, its payment and its transition", arguments: OperationKind.allCases)
    func success(kind: OperationKind) throws {
        let claim = try claim(kind)
        let result = OperationResult.succeeded(
            claim,
            BankFixture.effect(kind),
            BankResponse(status: 200, body: .json(BankFixture.success(kind))),
            now: Timestamp(microseconds: 42)
        )
        #expect(result.operation.state == .succeeded)
        #expect(result.operation.fencingToken == claim.operation.fencingToken)
        #expect(result.payment?.status == kind.succeeded)
        #expect(result.transition?.from == kind.inProgress)
        #expect(result.transition?.to == kind.succeeded)
        #expect(result.transition?.version == claim.payment.version + 1)
        let reply = try JSONParser.parse(try #require(result.operation.reply))
        #expect(reply["outcome"]?.string == "succeeded")
        #expect(reply["final"] == .bool(true))
        #expect(reply["error"] == .null)
        #expect(reply["bank_response"]?["body"] == BankFixture.success(kind))
        #expect(reply["payment"] == result.payment?.json)
    }

    @Test("a possible orphan is in the history")
    func orphan() throws {
        let result = OperationResult.succeeded(
            try claim(.authorize),
            BankFixture.effect(.authorize),
            BankResponse(status: 200, body: .json(.null)),
            orphan: .suspected,
            now: Timestamp(microseconds: 42)
        )
        #expect(result.transition?.cause.contains("orphan") == true)
    }

    @Test(
        "a decline gives the payment back the last state that was proven",
        arguments: [
            (.authorize, nil, false, .failed), (.capture, .authorized, false, .authorized),
            (.capture, .authorized, true, .expired), (.void, .authorized, false, .authorized),
            (.void, .expired, false, .expired), (.refund, .captured, false, .captured),
        ] as [(OperationKind, PaymentStatus?, Bool, PaymentStatus)]
    )
    func decline(kind: OperationKind, origin: PaymentStatus?, expired: Bool, back: PaymentStatus) throws {
        let result = OperationResult.declined(
            try claim(kind, origin: origin),
            BankRefusal(code: "insufficient_funds", message: "words"),
            BankFixture.error("insufficient_funds", status: 402),
            authorizationExpired: expired
        )
        #expect(result.operation.state == .declined)
        #expect(result.payment?.status == back)
        #expect(result.payment?.activeOperation == nil)
        #expect(result.transition?.to == back)
        let reply = try JSONParser.parse(try #require(result.operation.reply))
        #expect(reply["outcome"]?.string == "declined")
        #expect(reply["error"]?["source"]?.string == "bank")
        #expect(reply["error"]?["message"]?.string == "words")
        #expect(reply["error"]?["retryable"] == .bool(true))
        #expect(reply["payment"]?["status"]?.string == back.rawValue)
    }

    @Test("what stays open has no reply and touches no payment")
    func open() throws {
        let claim = try claim(.capture)
        let resting = OperationResult.resting(
            claim,
            reason: "timeout",
            sends: EarlierSends(unanswered: 1),
            rest: .seconds(17)
        )
        #expect(resting.operation.state == .unknown)
        #expect(resting.rest == .seconds(17))
        let attention = OperationResult.needsAttention(claim, reason: "timeout", sends: EarlierSends(unanswered: 1))
        #expect(attention.operation.state == .needsAttention)
        for result in [resting, attention] {
            #expect(result.operation.lastError == "timeout")
            #expect(result.operation.isAmbiguous)
            #expect(result.operation.reply == nil)
            #expect(result.payment == nil)
            #expect(result.transition == nil)
            #expect(result.lateNote.contains("timeout"))
        }
    }
}

/// docs/correctness.md#states
@Suite("State machine", .timeLimit(.minutes(1)))
struct StateMachineTests {
    private static let paths: Set<[PaymentStatus]> = [
        [.pending, .authorized], [.pending, .failed],
        [.authorized, .capturing], [.authorized, .voiding], [.authorized, .expired],
        [.capturing, .captured], [.capturing, .authorized], [.capturing, .expired],
        [.voiding, .voided], [.voiding, .authorized], [.voiding, .expired],
        [.captured, .refunding], [.refunding, .refunded], [.refunding, .captured],
        [.expired, .voiding],
    ]

    @Test("there are these paths and no others")
    func paths() {
        for from in PaymentStatus.allCases {
            for to in PaymentStatus.allCases {
                #expect(from.mayBecome(to) == Self.paths.contains([from, to]), "\(from) to \(to)")
            }
        }
    }

    @Test(
        "an operation starts from its origins, passes its own state and ends in its success",
        arguments: OperationKind.allCases
    )
    func operations(kind: OperationKind) {
        #expect(kind.inProgress.isInProgress)
        #expect(!kind.succeeded.isInProgress)
        #expect(kind.inProgress.mayBecome(kind.succeeded))
        for origin in kind.origins {
            #expect(origin.mayBecome(kind.inProgress))
            #expect(kind.inProgress.mayBecome(origin), "a decline gives back \(origin)")
        }
        #expect(OperationKind(commandType: kind.commandType) == kind)
        #expect(kind.resultType == "payment.\(kind.rawValue).result.v1")
    }

    @Test("what is final has no way out")
    func final() {
        for status in [PaymentStatus.voided, .refunded, .failed] {
            #expect(!PaymentStatus.allCases.contains { status.mayBecome($0) })
        }
    }
}
