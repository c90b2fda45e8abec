import Core
import Postgres
import StoreContract
import Testing

@testable import Processor

@Suite("A change of the fingerprint's secret", .timeLimit(.minutes(2)))
struct SecretRotationTests {
    private static func fingerprinter(_ current: String, _ previous: String...) -> Fingerprinter {
        Fingerprinter(secret: Array(current.utf8), previous: previous.map { Array($0.utf8) })
    }

    private static func claim(_ command: Command) -> ClaimRequest {
        ClaimRequest(
            command: command,
            operationID: OperationID(UniqueID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))),
            token: ClaimToken(UniqueID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))),
            lease: .seconds(30)
        )
    }

    @Test("duplicates are recognized across it, whoever of two processors has which secret first")
    func duplicates() async throws {
        try await TestDatabase.with { pools in
            let command = Command(
                paymentID: PaymentID(UniqueID(high: 1, low: 2)),
                idempotencyKey: try #require(IdempotencyKey("k")),
                messageID: "m",
                parameters: .authorize(
                    AuthorizeParameters(
                        orderID: "o",
                        customerID: "c",
                        amount: try #require(Money(minorUnits: 1, currency: .usd)),
                        card: try #require(
                            CardDetails(number: "4111111111111111", cvv: "123", expiryMonth: 1, expiryYear: 2030)
                        )
                    )
                )
            )
            func outcome(_ fingerprinter: Fingerprinter) async throws -> ClaimOutcome {
                try await PostgresPaymentStore(pools, fingerprinter: fingerprinter).claim(Self.claim(command))
            }
            guard case .claimed(let claim) = try await outcome(Self.fingerprinter("a")) else {
                Issue.record("not claimed")
                return
            }
            #expect(claim.operation.fingerprint.secretID != nil)
            for known in [Self.fingerprinter("a"), Self.fingerprinter("b", "a"), Self.fingerprinter("a", "b")] {
                #expect(try await outcome(known).heldKey != nil)
            }
            #expect(try await outcome(Self.fingerprinter("b")) == .rejected(.idempotencyKeyReused, nil))
            // As a version before this one has written it: which secret, it does not say.
            try await pools.queries.withConnection { connection throws(PostgresError) in
                try connection.executeScript("UPDATE operations SET fingerprint_secret = NULL")
            }
            #expect(try await outcome(Self.fingerprinter("b", "a")) == .rejected(.idempotencyKeyReused, nil))
        }
    }

    @Test("the database goes along with it where the secret before is known, and refuses one that it has never seen")
    func checkValue() async throws {
        try await TestDatabase.with { (pools: DatabasePools) async throws in
            func accepts(_ current: String, _ previous: String...) async throws -> Bool {
                let fingerprinter = Fingerprinter(
                    secret: Array(current.utf8),
                    previous: previous.map { Array($0.utf8) }
                )
                return try await FingerprintGuard(pool: pools.queries).accepts(fingerprinter)
            }
            #expect(try await accepts("a"))
            #expect(try await accepts("b") == false)
            #expect(try await accepts("a", "b"))
            #expect(try await accepts("b", "a"))
            // One that has not got so far yet.
            #expect(try await accepts("a", "b"))
            #expect(try await accepts("b", "a"))
            #expect(try await accepts("b"))
            #expect(try await accepts("a") == false)
        }
    }
}
