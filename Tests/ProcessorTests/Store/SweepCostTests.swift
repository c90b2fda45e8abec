import Core
import Foundation
import Postgres
import Testing

@testable import Processor

/// What a sweep costs when there is nothing to do, beside so many completed payments: a tenth of a million, or what
/// SWEEP_TEST_ROWS says.
@Suite("The cost of idle sweeps", .serialized, .timeLimit(.minutes(10)))
struct SweepCostTests {
    private static let rows =
        ProcessInfo.processInfo.environment["SWEEP_TEST_ROWS"].flatMap { Int($0) } ?? 100_000

    @Test("it does not grow with the completed payments: every question is answered by an index, from few pages")
    func idle() async throws {
        try await TestDatabase.with { pools in
            let store = PostgresPaymentStore(pools, fingerprinter: Fingerprinter(secret: Array("secret".utf8)))
            // Plans of prepared statements are made while the tables are empty, and stay.
            _ = try await store.check(Self.check)
            _ = try await store.take(limit: 1, hold: .zero)
            for (name, statement) in Self.statements where name.contains("outbox") {
                let plan = try await ExplainedPlan(of: statement, on: pools.sweeps)
                #expect(
                    plan.text.contains("using outbox_waiting on outbox")
                        || plan.text.contains("using outbox_order on outbox")
                )
            }
            for _ in 0..<10 { try await CompletedPayments(count: Self.rows / 10).write(to: pools.queries) }
            #expect(try await store.check(Self.check).count == 0)

            for (name, statement) in Self.statements {
                let plan = try await ExplainedPlan(of: statement, on: pools.sweeps)
                print("\(name), beside \(Self.rows) completed payments:\n\(plan.text)\n")
                #expect(!plan.text.contains("Seq Scan on operations"), "\(name)")
                #expect(!plan.text.contains("Seq Scan on payments"), "\(name)")
                #expect(!plan.text.contains("Seq Scan on bank_effects"), "\(name)")
                #expect(!plan.text.contains("Seq Scan on outbox"), "\(name)")
                #expect(plan.pages <= 60, "\(name)")
            }
        }
    }

    static var check: OpenCheck {
        let token = ClaimToken(UniqueID(high: 1, low: 1))
        return OpenCheck(limit: 100, dueBy: nil, token: token, lease: .seconds(37), policy: SweepPolicy(), random: 1)
    }

    /// With the parameters in place: `EXPLAIN` takes none in this form.
    static let statements = [
        ("collecting what is open", PostgresPaymentStore.collectStatement),
        (
            "open operations that are due",
            OpenBatch.dueStatement.replacing("$1", with: "NULL::timestamptz").replacing("$2", with: "100")
        ),
        (
            "authorizations that are due",
            AuthorizationBatch.dueStatement.replacing("$1", with: "now()").replacing("$2", with: "100")
        ),
        (
            "the outbox",
            PostgresPaymentStore.takeStatement.replacing("$1", with: "100").replacing("$2", with: "60000000")
        ),
        ("the age of the outbox", PostgresPaymentStore.outboxAgeStatement),
        ("the ages of queues", PostgresPaymentStore.agesStatement),
        ("open operations", PostgresPaymentStore.openStatement),
        (
            "open dead letters",
            "SELECT code, count(*) FROM dead_letters WHERE state IN ('open', 'replaying') GROUP BY code"
        ),
    ]
}
