import Core
import HTTPClient
import TestSupport
import Testing

extension CommandLane {
    @Suite("Questions about payments", .timeLimit(.minutes(10)))
    struct PaymentQueryTests {
        @Test("payments show prints what the admin API answers: the payment, its history and its operations")
        func show() async throws {
            try await World.run { world in
                let processor = try await world.startProcessor()
                let payment = try await world.authorized()
                let capture = TestCommand.capture(payment)
                let reply = try await world.ask(capture)
                try await world.ask(.void(payment))
                let web = try await processor.admin()
                let answer = try await web.send(.get, "/payments/\(payment)")
                #expect(answer.status == 200)
                let json = try JSONParser.parse(answer.body)
                for (name, value) in try #require(reply.json["payment"]).members {
                    #expect(json[name] == value, "\(name)")
                }
                let steps = json["history"]?.elements ?? []
                #expect(steps.map { $0["to"]?.string } == ["PENDING", "AUTHORIZED", "CAPTURING", "CAPTURED"])
                #expect(steps.map { $0["from"]?.string } == [nil, "PENDING", "AUTHORIZED", "CAPTURING"])
                #expect(steps.allSatisfy { $0.memberNames == ["at", "cause", "from", "operation", "to"] })
                let operations = json["operations"]?.elements ?? []
                #expect(operations.map { $0["kind"]?.string } == ["authorize", "capture", "void"])
                #expect(operations.map { $0["state"]?.string } == ["SUCCEEDED", "SUCCEEDED", "REJECTED"])
                #expect(operations[1]["idempotency_key"]?.string == capture.key)
                #expect(
                    operations.allSatisfy {
                        $0.memberNames == ["attempts", "idempotency_key", "kind", "last_error", "notified", "state"]
                    }
                )
                let shown = try await world.command(["payments", "show", payment, "--json"])
                #expect(shown.exit == .status(0))
                #expect(shown.output == String(decoding: answer.body, as: UTF8.self) + "\n")
                let text = try await world.command(["payments", "show", payment])
                #expect(text.output.contains(payment))
                #expect(text.output.contains("CAPTURED"))
                #expect(try await world.command(["payments", "show", Random.id]).exit == .status(1))
                await web.shutdown()
            }
        }

        @Test("payments of an order are listed newest first, page by page")
        func list() async throws {
            try await World.run { world in
                let processor = try await world.startProcessor()
                var ids: [String] = []
                for _ in 0..<5 {
                    let command = TestCommand.authorize(order: "order /&?")
                    try await world.ask(command)
                    ids.insert(command.paymentID, at: 0)
                }
                try await world.ask(.authorize())
                let web = try await processor.admin()
                var seen: [String] = []
                var cursor = ""
                repeat {
                    let page = try await web.json("/payments?order_id=order%20%2F%26%3F&limit=2\(cursor)")
                    #expect(page.memberNames == ["next_cursor", "payments"])
                    seen += page["payments"]?.elements.compactMap { $0["id"]?.string } ?? []
                    cursor = page["next_cursor"]?.string.map { "&cursor=\($0)" } ?? ""
                } while !cursor.isEmpty && seen.count < 10
                #expect(seen == ids)

                let all = try await web.send(.get, "/payments?customer_id=cust-1")
                #expect(try JSONParser.parse(all.body)["payments"]?.elements.count == 6)
                let none = try await web.json("/payments?customer_id=cust-1&merchant_id=other")
                #expect(none["payments"]?.elements.isEmpty == true)
                let listed = try await world.command(["payments", "list", "--customer-id", "cust-1", "--json"])
                #expect(listed.output == String(decoding: all.body, as: UTF8.self) + "\n")
                let text = try await world.command(["payments", "list", "--order-id", "order /&?"])
                #expect(ids.allSatisfy { text.output.contains($0) })
                await web.shutdown()
            }
        }

        @Test("a question that makes no sense, or has no answer, gets a JSON error")
        func errors() async throws {
            try await World.run { world in
                let web = try await world.startProcessor().admin()
                let cases: [(String, Int)] = [
                    ("/payments/no-uuid", 400), ("/payments/\(Random.id)", 404), ("/payments", 400),
                    ("/payments?order_id=a&limit=0", 400), ("/payments?status=PAID", 400),
                    ("/payments?since=yesterday", 400),
                    ("/payments?order_id=a&limit=201", 400), ("/payments?order_id=a&cursor=x", 400), ("/nothing", 404),
                ]
                for (path, status) in cases {
                    let answer = try await web.send(.get, path)
                    #expect(answer.status == status, "\(path)")
                    #expect(try JSONParser.parse(answer.body).memberNames == ["error", "message"], "\(path)")
                }
                await web.shutdown()
            }
        }

        @Test("with a token, everything but health and readiness wants it")
        func token() async throws {
            try await World.run { world in
                let web = try await world.startProcessor(nil, ["ADMIN_TOKEN": "open-sesame-open-sesame"]).admin()
                let id = Random.id
                for path in ["/payments/\(id)", "/metrics", "/payments?order_id=o"] {
                    #expect(try await web.send(.get, path).status == 401, "\(path)")
                    let wrong = [HTTPHeader("Authorization", "Bearer open-sesame-open-sesam")]
                    #expect(try await web.send(.get, path, headers: wrong).status == 401, "\(path)")
                }
                let right = [HTTPHeader("Authorization", "Bearer open-sesame-open-sesame")]
                #expect(try await web.send(.get, "/payments/\(id)", headers: right).status == 404)
                #expect(try await web.send(.get, "/metrics", headers: right).status == 200)
                for path in ["/healthz", "/readyz"] { #expect(try await web.send(.get, path).status == 200) }
                await web.shutdown()
            }
        }

        @Test("the metrics count what was done")
        func metrics() async throws {
            try await World.run { world in
                let web = try await world.startProcessor().admin()
                let payment = try await world.authorized()
                try await world.ask(.capture(payment))
                try await world.ask(.authorize(card: .empty))
                try await world.ask(.void(payment))
                let text = String(decoding: try await web.send(.get, "/metrics").body, as: UTF8.self)
                for line in [
                    #"payments_commands_total{operation="authorize",outcome="succeeded"} 1"#,
                    #"payments_commands_total{operation="authorize",outcome="declined"} 1"#,
                    #"payments_commands_total{operation="capture",outcome="succeeded"} 1"#,
                    #"payments_commands_total{operation="void",outcome="rejected"} 1"#,
                ] {
                    #expect(text.split(separator: "\n").contains { $0 == line }, "\(line)")
                }
                #expect(!text.contains(payment))
                await web.shutdown()
            }
        }
    }
}

extension JSONValue {
    fileprivate var members: [String: JSONValue] {
        guard case .object(let members) = self else { return [:] }
        return members
    }
}
