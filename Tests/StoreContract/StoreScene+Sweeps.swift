import Core
import Testing

extension StoreScene {
    var sweeps: Subject.Sweeps { subject.sweeps }

    func begins(_ run: SweepRunID, _ slot: SweepSlot) async throws -> Bool { try await sweeps.begin(run, slot) }

    func runs() async throws -> [SweepRun] { try await sweeps.runs(limit: 10) }

    func check(limit: Int = 100, dueBy: Timestamp? = nil, policy: SweepPolicy = SweepPolicy()) async throws
        -> OpenFindings
    {
        try await sweeps.check(
            OpenCheck(
                limit: limit,
                dueBy: dueBy,
                token: ClaimToken(.random),
                lease: Self.longLease,
                policy: policy,
                random: .random(in: 0 ... .max)
            )
        )
    }

    /// Checks again and again, until a check finds something.
    func checkUntilDue(policy: SweepPolicy = SweepPolicy(), limit: Int = 100) async throws -> OpenFindings {
        for _ in 0..<400 {
            let findings = try await check(limit: limit, policy: policy)
            if findings.count > 0 { return findings }
            try await subject.pass(.milliseconds(25))
        }
        Issue.record("nothing was ever due")
        throw Unexpected()
    }

    /// Checks that come back soon to what they could not resolve.
    private static var hastyPolicy: SweepPolicy {
        var policy = SweepPolicy()
        policy.pause = .milliseconds(40)
        return policy
    }

    /// Checks again and again, until a check tells something.
    func checkUntilNotified() async throws -> OpenFindings {
        for _ in 0..<400 {
            let findings = try await check(policy: Self.hastyPolicy)
            if findings.notified > 0 { return findings }
            try await subject.pass(.milliseconds(25))
        }
        Issue.record("nothing was ever told")
        throw Unexpected()
    }

    /// Checks until what was due is due no more, and expects that nothing comes of it.
    func expectNothingToNotify() async throws {
        for _ in 0..<12 {
            #expect(try await check(policy: Self.hastyPolicy).notified == 0)
            try await subject.pass(.milliseconds(25))
        }
        #expect(try await sweeps.take(limit: 10, hold: .seconds(60)).isEmpty)
    }

    /// A capture that its holder has left behind, with its lease run out soon.
    func stuckCapture() async throws -> Claim {
        let payment = try await authorized()
        return try await claimed(command(.capture(amount: nil), payment.id), lease: Self.shortLease)
    }

    func checkAuthorizations(
        expiredBy: Timestamp,
        voids: Bool = false,
        limit: Int = 100
    ) async throws -> AuthorizationFindings {
        try await sweeps.check(
            AuthorizationCheck(
                limit: limit,
                expiredBy: expiredBy,
                voidsExpired: voids,
                policy: SweepPolicy(),
                random: .random(in: 0 ... .max)
            )
        )
    }

    static func proof(_ payment: Payment) throws -> ExpiryProof {
        let expiresAt = try #require(payment.expiresAt)
        let body = JSONValue.object([
            "authorization_id": .optional(payment.bank.authorizationID), "expires_at": .string(expiresAt.description),
        ])
        let response = BankResponse(status: 200, body: .json(body), date: expiresAt.advanced(by: .seconds(1)))
        return try #require(ExpiryProof(payment, .response(response), grace: .zero))
    }
}
