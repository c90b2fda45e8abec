import Testing

@testable import BankSimulator

@Suite("The bank's API", .timeLimit(.minutes(1)))
struct BankAPITests {
    private let fixture = SimulatorFixture()

    @Test("every answer has the members, and nothing but the members, of the bank's")
    func shapes() async throws {
        let authorized = try #require(try await fixture.authorize(key: "a"))
        let authorization = try #require(authorized.text("authorization_id"))
        let times = #""expires_at":"2026-01-09T03:04:05.123456789Z","created_at":"2026-01-02T03:04:05.123456789Z""#
        #expect(
            authorized.body
                == #"{"authorization_id":"\#(authorization)","status":"approved","amount":5000,"currency":"USD",\#(times)}"#
        )

        let captured = try #require(try await fixture.capture(key: "c", authorization))
        let capture = try #require(captured.text("capture_id"))
        #expect(
            captured.body
                == #"{"capture_id":"\#(capture)","authorization_id":"\#(authorization)","status":"captured","#
                + #""amount":5000,"currency":"USD","captured_at":"2026-01-02T03:04:05.123456789Z"}"#
        )

        let refunded = try #require(try await fixture.refund(key: "r", capture))
        let refund = try #require(refunded.text("refund_id"))
        #expect(
            refunded.body
                == #"{"refund_id":"\#(refund)","capture_id":"\#(capture)","status":"refunded","#
                + #""amount":5000,"currency":"USD","refunded_at":"2026-01-02T03:04:05.123456789Z"}"#
        )

        let other = try #require(try await fixture.authorize(key: "a2")?.text("authorization_id"))
        let voided = try #require(try await fixture.void(key: "v", other))
        let void = try #require(voided.text("void_id"))
        #expect(
            voided.body
                == #"{"void_id":"\#(void)","authorization_id":"\#(other)","status":"voided","#
                + #""voided_at":"2026-01-02T03:04:05.123456789Z"}"#
        )
        for answer in [authorized, captured, refunded, voided] {
            #expect(answer.status == 200 && answer.contentType == .json && !answer.isReplay)
        }
    }

    @Test("a GET answers the same with microseconds, and approved forever")
    func reading() async throws {
        let authorized = try #require(try await fixture.authorize(key: "a"))
        let authorization = try #require(authorized.text("authorization_id"))
        let captured = try #require(try await fixture.capture(key: "c", authorization))
        let capture = try #require(captured.text("capture_id"))
        let refunded = try #require(try await fixture.refund(key: "r", capture))
        let refund = try #require(refunded.text("refund_id"))

        for (path, posted) in [
            ("authorizations/\(authorization)", authorized), ("captures/\(capture)", captured),
            ("refunds/\(refund)", refunded),
        ] {
            let read = try #require(try await fixture.send("GET", "/api/v1/\(path)"))
            #expect(read.status == 200)
            #expect(read.body == posted.body.replacing("123456789Z", with: "123456Z"))
        }
        let unknown = try await fixture.send("GET", "/api/v1/captures/cap_6f9619ff-8b86-4d01-b42d-00cf4fc964ff")
        #expect(unknown?.status == 404 && unknown?.code == "not_found")
    }

    @Test(
        "each test card answers as it is meant to",
        arguments: [
            ("4111111111111111", 1_000_000, 200, nil), ("4111111111111111", 1_000_001, 402, "insufficient_funds"),
            ("4242424242424242", 50_000, 200, nil), ("4242424242424242", 50_001, 402, "insufficient_funds"),
            ("5555555555554444", 1, 402, "insufficient_funds"), ("5105105105105100", 1, 400, "card_expired"),
            ("4000000000000002", 1, 400, "invalid_card"), ("4111111111111111", 0, 400, "invalid_amount"),
        ] as [(String, Int64, Int, String?)]
    )
    func cards(card: String, amount: Int64, status: Int, code: String?) async throws {
        let answer = try await fixture.authorize(key: "k", amount: amount, card: card)
        #expect(answer?.status == status)
        #expect(answer?.code == code)
        #expect(try await fixture.ledger().count == (status == 200 ? 1 : 0))
    }

    @Test("an unknown or ill-formed identifier in a POST is a 400")
    func unknownIdentifiers() async throws {
        for id in ["", "x", "auth_6f9619ff-8b86-4d01-b42d-00cf4fc964ff"] {
            let captured = try await fixture.capture(key: "c", id)
            #expect(captured?.status == 400 && captured?.code == "authorization_not_found")
            #expect(try await fixture.void(key: "v", id)?.code == "authorization_not_found")
            #expect(try await fixture.refund(key: "r", id)?.code == "capture_not_found")
        }
    }

    @Test("a missing key and a malformed body are 400 in plain text", arguments: [nil, "k"] as [String?])
    func malformed(key: String?) async throws {
        for path in ["authorizations", "captures", "voids", "refunds"] {
            let body = key == nil ? "{}" : "{"
            let answer = try #require(try await fixture.send("POST", "/api/v1/\(path)", key: key, body))
            #expect(answer.status == 400 && answer.contentType == .text)
        }
        #expect(try await fixture.requests().compactMap { $0["status"] } == Array(repeating: .number("400"), count: 4))
    }

    @Test("health is healthy, and unknown paths are not found")
    func otherPaths() async throws {
        #expect(try await fixture.send("GET", "/health")?.body == #"{"status":"healthy"}"#)
        #expect(try await fixture.send("GET", "/api/v2/captures")?.status == 404)
    }

    @Test("expiry follows the simulator's clock and stops captures only")
    func expiry() async throws {
        let authorization = try #require(try await fixture.authorize(key: "a")?.text("authorization_id"))
        let answer = try await fixture.send("POST", "/clock", #"{"offset_seconds":604800}"#)
        #expect(answer?.body == #"{"now":"2026-01-09T03:04:05.123456Z","offset_seconds":604800}"#)
        #expect(fixture.simulator.dateHeader == "Fri, 09 Jan 2026 03:04:05 GMT")
        #expect(try await fixture.capture(key: "c", authorization, amount: 1)?.code == "authorization_expired")
        #expect(try await fixture.void(key: "v", authorization)?.status == 200)
    }

    @Test("the clock takes a whole number of seconds and nothing else")
    func clock() async throws {
        for body in [
            "", "{}", #"{"offset_seconds":"1"}"#, #"{"offset_seconds":1.5}"#, #"{"offset_seconds":1000000001}"#,
            #"{"offset_seconds":1,"x":1}"#,
        ] {
            let answer = try await fixture.send("POST", "/clock", body)
            #expect(answer?.status == 400 && answer?.code == "invalid_request")
        }
        #expect(fixture.simulator.dateHeader == ManualClock.start.httpDate)
    }

    @Test("the ledger has the shape of the contract, from any sequence on")
    func ledger() async throws {
        let authorization = try #require(try await fixture.authorize(key: "a \"1\"")?.text("authorization_id"))
        let capture = try #require(try await fixture.capture(key: "c", authorization)?.text("capture_id"))
        let whole = try await fixture.send("GET", "/ledger")?.body
        #expect(
            whole
                == #"{"entries":[{"amount":5000,"authorization_id":"\#(authorization)","capture_id":null,"#
                + #""card_last4":"1111","currency":"USD","executed_at":"2026-01-02T03:04:05.123456789Z","#
                + #""id":"\#(authorization)","idempotency_key":"a \"1\"","operation":"authorize","sequence":1},"#
                + #"{"amount":5000,"authorization_id":"\#(authorization)","capture_id":"\#(capture)","#
                + #""card_last4":"1111","currency":"USD","executed_at":"2026-01-02T03:04:05.123456789Z","#
                + #""id":"\#(capture)","idempotency_key":"c","operation":"capture","sequence":2}]}"#
        )
        #expect(try await fixture.ledger(since: 1).map { $0["sequence"] } == [.number("2")])
        #expect(try await fixture.ledger(since: 2).isEmpty)
        for query in ["since=x", "since=-1", "since=", "a=b&since=1.5"] {
            #expect(try await fixture.send("GET", "/ledger?\(query)")?.code == "invalid_request")
        }
    }

    @Test("the requests have the shape of the contract; those of the control endpoints are not among them")
    func requests() async throws {
        _ = try await fixture.authorize(key: "a")
        _ = try await fixture.authorize(key: "a")
        _ = try await fixture.send("GET", "/api/v1/captures/x")
        _ = try await fixture.send("GET", "/health")
        let body = try await fixture.send("GET", "/requests")?.body
        #expect(
            body
                == #"{"requests":[{"fault":null,"idempotency_key":"a","path":"/api/v1/authorizations","replayed":false,"#
                + #""sequence":1,"status":200},"#
                + #"{"fault":null,"idempotency_key":"a","path":"/api/v1/authorizations","replayed":true,"#
                + #""sequence":2,"status":200},"#
                + #"{"fault":null,"idempotency_key":null,"path":"/api/v1/captures/x","replayed":false,"#
                + #""sequence":3,"status":404}]}"#
        )
        #expect(try await fixture.send("GET", "/requests?since=3")?.body == #"{"requests":[]}"#)
    }
}
