import Core
import Testing

@testable import Processor

@Suite("Payments at the admin server", .timeLimit(.minutes(1)))
struct AdminPaymentTests: AdminScene {
    let readiness = Readiness()

    @Test("a payment comes with its history and its operations")
    func payment() async throws {
        let queries = FakeQueries([Samples.view()])
        let answer = try await get("/payments/00000000-0000-0000-0000-000000000001", from: queries)
        #expect(answer.status == 200)
        #expect(answer.body == Expected.view)
    }

    @Test(
        "what cannot be answered is an error with a code and a message",
        arguments: [
            ("/payments/00000000-0000-0000-0000-000000000002", 404, "not_found", "there is no such payment"),
            ("/payments/nonsense", 400, "invalid_request", "id: is not a UUID"),
            (
                "/payments", 400, "invalid_request",
                "order_id, customer_id, possible_orphans, status, idempotency_key, bank_id, message_id, since, until: "
                    + "at least one of them is needed"
            ),
            (
                "/payments?possible_orphans=false", 400, "invalid_request",
                "order_id, customer_id, possible_orphans, status, idempotency_key, bank_id, message_id, since, until: "
                    + "at least one of them is needed"
            ),
            ("/payments?possible_orphans=1", 400, "invalid_request", "possible_orphans: must be true or false"),
            (
                "/payments?order_id=", 400, "invalid_request",
                "order_id: must be 1 to 128 characters without control characters"
            ),
            (
                "/payments?order_id=%00", 400, "invalid_request",
                "order_id: must be 1 to 128 characters without control characters"
            ),
            ("/payments?order_id=a&limit=0", 400, "invalid_request", "limit: must be an integer from 1 to 200"),
            ("/payments?order_id=a&limit=201", 400, "invalid_request", "limit: must be an integer from 1 to 200"),
            ("/payments?order_id=a&limit=x", 400, "invalid_request", "limit: must be an integer from 1 to 200"),
            (
                "/payments?order_id=a&cursor=x", 400, "invalid_request",
                "cursor: is not a next_cursor of an earlier page"
            ),
            (
                "/payments?order_id=a&merchant_id=a%20b", 400, "invalid_request",
                "merchant_id: must be 1 to 64 letters, digits, '.', '_' and '-'"
            ),
            (
                "/payments?order_id=a&merchant=b", 400, "invalid_request",
                "query: has an unknown parameter; known are order_id, customer_id, possible_orphans, "
                    + "status, idempotency_key, bank_id, message_id, since, until, merchant_id, limit, cursor"
            ),
            ("/payments?order_id=a&order_id=b", 400, "invalid_request", "order_id: is given twice"),
            (
                "/payments/00000000-0000-0000-0000-000000000001?history=false", 400, "invalid_request",
                "query: has an unknown parameter; there is none here"
            ),
            ("/payments?order_id=%ff", 400, "invalid_request", "order_id: must be percent-encoded UTF-8"),
            ("/payments?order_id=%4", 400, "invalid_request", "order_id: must be percent-encoded UTF-8"),
            ("/nothing", 404, "not_found", "there is no such path"),
            ("/dead-letters/replay/x", 404, "not_found", "there is no such path"),
        ]
    )
    func errors(uri: String, status: Int, code: String, message: String) async throws {
        let answer = try await get(uri, from: FakeQueries([Samples.view()]))
        #expect(answer.status == status)
        #expect(answer.body == #"{"error":"\#(code)","message":"\#(message)"}"#)
        #expect(answer.headers["content-type"] == "application/json")
    }

    @Test(
        "a store that fails is 503 where it may recover, else 500, without its details",
        arguments: [
            (StoreError.Code.unavailable, 503, "unavailable"), (.refused, 500, "internal"),
            (.unreadable, 500, "internal"),
        ]
    )
    func storeFailures(code: StoreError.Code, status: Int, error: String) async throws {
        let queries = FakeQueries(failure: StoreError(code, detail: "42P01"))
        let answer = try await get("/payments?order_id=a", from: queries)
        #expect(answer.status == status)
        #expect(answer.body.hasPrefix(#"{"error":"\#(error)","message":""#))
        #expect(!answer.body.contains("42P01"))
    }

    @Test("a list goes on page by page, newest first")
    func pages() async throws {
        let views = (1...3).map { PaymentView(payment: Samples.payment($0), history: [], operations: []) }
        let queries = FakeQueries(views)
        let first = try await get("/payments?order_id=order-1&limit=2", from: queries)
        #expect(first.status == 200)
        let cursor = "2000000.00000000-0000-0000-0000-000000000002"
        #expect(
            first.body == """
                {"next_cursor":"\(cursor)","payments":[\(Expected.payment(3)),\(Expected.payment(2))]}
                """
        )
        let second = try await get(
            "/payments?customer_id=customer-1&merchant_id=default&cursor=\(cursor)",
            from: queries
        )
        #expect(second.body == #"{"next_cursor":null,"payments":[\#(Expected.payment(1))]}"#)
        #expect(queries.queries.map(\.limit) == [2, 50])
        #expect(queries.queries.map(\.merchantID) == [nil, .default])
    }

    @Test("possible orphans are listed with their grade, and each payment shows its own")
    func possibleOrphans() async throws {
        let views = [PossibleOrphan.suspected, nil, .unlikely].enumerated().map { index, orphan in
            PaymentView(payment: Samples.payment(UInt64(index + 1)), history: [], operations: [], orphan: orphan)
        }
        let queries = FakeQueries(views)
        let list = try JSONParser.parse(
            Array(try await get("/payments?possible_orphans=true", from: queries).body.utf8)
        )
        guard case .array(let payments)? = list["payments"] else {
            Issue.record("no list")
            return
        }
        #expect(payments.map { $0["possible_orphan"]?.string } == ["unlikely", "suspected"])
        #expect(queries.queries.map(\.filter) == [.possibleOrphans])
        let others = try await get("/payments?order_id=order-1", from: queries)
        #expect(!others.body.contains("possible_orphan"))
        let shown = try await get("/payments/00000000-0000-0000-0000-000000000003", from: queries)
        #expect(shown.body.contains(#""possible_orphan":"unlikely""#))
    }

    @Test("ids may be percent-encoded, and a plus is a space")
    func plusIsSpace() async throws {
        let queries = FakeQueries()
        _ = try await get("/payments?order_id=a+b%2Bc+", from: queries)
        #expect(queries.queries.map(\.filter) == [.order("a b+c ")])
    }

    @Test("ids may be percent-encoded")
    func encodedIDs() async throws {
        let queries = FakeQueries()
        let answer = try await get("/payments?order_id=a%20b%26c%C3%A9", from: queries)
        #expect(answer.body == #"{"next_cursor":null,"payments":[]}"#)
        #expect(queries.queries.map(\.filter) == [.order("a b&cé")])
    }
}
