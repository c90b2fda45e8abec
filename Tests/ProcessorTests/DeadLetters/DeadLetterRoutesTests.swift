import Core
import Logging
import ServiceLifecycle
import Simulation
import Testing

@testable import Processor

@Suite("Dead letters over HTTP", .timeLimit(.minutes(1)))
struct DeadLetterRoutesTests {
    private let scene = DeadLetterScene()

    private func send(
        _ method: String,
        _ uri: String,
        body: String = "",
        headers: [String: String] = [:]
    ) async throws -> PlainHTTP.Answer {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let server = AdminServer(
            configuration: AdminConfiguration(host: "127.0.0.1", port: 0, token: nil),
            queries: FakeQueries(),
            deadLetters: scene.service,
            resolver: ResolutionScene().resolver,
            readiness: Readiness(),
            metrics: PrometheusRegistry(),
            logger: try CapturedLog(level: .critical).logger,
            onListening: { port.yield($0) }
        )
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            let answer = try await PlainHTTP.send(method, uri, port: port, headers: headers, body: body)
            tasks.cancelAll()
            return answer
        }
    }

    private func item(_ number: Int, state: String = "open", code: String = "needs_attention") -> String {
        """
        "card":null,"code":"\(code)","dead_lettered_at":"1970-01-01T00:00:0\(number).000000Z",\
        "id":"00000000-0000-0000-0000-00000000000\(number)","idempotency_key":"key-\(number)","merchant_id":"default",\
        "message":"bank_timeout","message_id":"m-\(number)","operation":"capture",\
        "payment_id":"00000000-0000-0000-0000-00000000000\(number)","replayable":true,"source":"processor",\
        "state":"\(state)"
        """
    }

    @Test("the list has the shape of the contract, newest first")
    func list() async throws {
        for number in 1...3 { try await scene.keep(number, code: number == 2 ? "other" : "needs_attention") }
        let all = try await send("GET", "/dead-letters")
        #expect(all.status == 200)
        #expect(
            all.body
                == #"{"dead_letters":[{\#(item(3))},{\#(item(2, code: "other"))},{\#(item(1))}],"next_cursor":null}"#
        )
        let query = "code=needs_attention&operation=capture&merchant=default&state=open&older-than=1s&limit=1"
        let cursor = "3000000.00000000-0000-0000-0000-000000000003"
        #expect(
            try await send("GET", "/dead-letters?\(query)").body
                == #"{"dead_letters":[{\#(item(3))}],"next_cursor":"\#(cursor)"}"#
        )
        #expect(
            try await send("GET", "/dead-letters?\(query)&cursor=\(cursor)").body
                == #"{"dead_letters":[{\#(item(1))}],"next_cursor":null}"#
        )
        #expect(
            try await send("GET", "/dead-letters?newer_than=1s").body == #"{"dead_letters":[],"next_cursor":null}"#
        )
    }

    @Test("one is shown with its message and its audit")
    func show() async throws {
        try await scene.keep(1)
        let answer = try await send("GET", "/dead-letters/00000000-0000-0000-0000-000000000001")
        #expect(answer.status == 200)
        let shown = try JSONParser.parse(Array(answer.body.utf8))
        #expect(shown["body"] == .object(["amount": .integer(5000)]))
        #expect(
            shown["headers"]
                == .object([
                    "idempotency-key": .string("key-1"),
                    "payment-id": .string("00000000-0000-0000-0000-000000000001"),
                ])
        )
        #expect(shown["audit"] == .array([]) && shown["operation_state"] == .null)
        #expect(shown["code"]?.string == "needs_attention")
        #expect(try await send("GET", "/dead-letters/00000000-0000-0000-0000-000000000009").status == 404)
    }

    @Test("a replay moves what is selected and confirmed, once, and the operator is in the audit")
    func replay() async throws {
        for number in 1...3 { try await scene.keep(number) }
        let dry = try await send("POST", "/dead-letters/replay", body: #"{"filter":{},"dry_run":true}"#)
        #expect(dry.body == #"{"dry_run":true,"failed":0,"replayed":3,"selected":3,"skipped":0}"#)
        #expect(scene.sink.messages.isEmpty)

        let order =
            #"{"filter":{"limit":2,"code":"needs_attention"},"confirm":2,"rate":50,"stop_at_failures":0.5}"#
        let answer = try await send("POST", "/dead-letters/replay", body: order, headers: ["X-Operator": "ada"])
        #expect(answer.status == 202)
        let run = try #require(try await scene.store.replays(limit: 1).first)
        #expect(answer.headers["location"] == "/dead-letters/replays/\(run.id)")
        #expect(
            answer.body == """
                {"created_at":"\(run.createdAt)","failed":0,"filter":{"code":"needs_attention","limit":2},\
                "finished_at":null,"id":"\(run.id)","rate":50,"reason":null,"replayed":0,"requested_by":"ada",\
                "selected":2,"skipped":0,"state":"running","stop_at_failures":0.5,"stopped_by":null}
                """
        )
        // Nothing is done but by who takes it up.
        #expect(scene.sink.messages.isEmpty)
        #expect(try await scene.service.runHere(run.id))
        #expect(scene.sink.messages.map(\.messageID) == ["m-1", "m-2"])
        let view = try #require(try await scene.store.deadLetter(DeadLetterScene.id(1)))
        #expect(view.deadLetter.state == .replayed && view.audit.allSatisfy { $0.actor == "ada" })

        let ids = #"{"ids":["00000000-0000-0000-0000-000000000001"],"confirm":1}"#
        let again = try await send("POST", "/dead-letters/replay", body: ids)
        #expect(again.status == 202 && again.body.contains(#""filter":null"#))
        let second = try #require(try await scene.store.replays(limit: 1).first)
        #expect(try await scene.service.runHere(second.id))
        let shown = try await send("GET", "/dead-letters/replays/\(second.id)")
        #expect(shown.status == 200)
        #expect(
            shown.body.contains(
                """
                "problems":[{"id":"00000000-0000-0000-0000-000000000001","reason":"replayed already","result":"skipped"}]
                """
            )
        )
        #expect(shown.body.contains(#""replayed":0"#) && shown.body.contains(#""state":"finished""#))
        let dryAgain = try await send(
            "POST",
            "/dead-letters/replay",
            body: #"{"ids":["00000000-0000-0000-0000-000000000001"],"dry_run":true}"#
        )
        #expect(
            dryAgain.body == """
                {"dry_run":true,"failed":0,"reasons":[{"id":"00000000-0000-0000-0000-000000000001",\
                "reason":"replayed already"}],"replayed":0,"selected":1,"skipped":1}
                """
        )
        #expect(scene.sink.messages.count == 2)
    }

    private static func items(_ answer: JSONValue) -> [JSONValue] {
        if case .array(let items)? = answer["replays"] { items } else { [] }
    }

    @Test("replays are listed, newest first, and stopped by whoever asks")
    func replays() async throws {
        try await scene.keep(1)
        let empty = try await send("GET", "/dead-letters/replays")
        #expect(empty.status == 200 && empty.body == #"{"replays":[]}"#)
        for _ in 0..<2 {
            #expect(try await send("POST", "/dead-letters/replay", body: #"{"filter":{},"confirm":1}"#).status == 202)
        }
        let runs = try await scene.store.replays(limit: 2)
        let listed = try JSONParser.parse(Array(try await send("GET", "/dead-letters/replays").body.utf8))
        #expect(Self.items(listed).map { $0["id"]?.string } == runs.map(\.id.description))
        let one = try await send("GET", "/dead-letters/replays?limit=1")
        #expect(Self.items(try JSONParser.parse(Array(one.body.utf8))).count == 1)
        let path = "/dead-letters/replays/\(runs[0].id)"
        let stopped = try await send("POST", "\(path)/stop", headers: ["X-Operator": "ada"])
        #expect(stopped.status == 200)
        #expect(stopped.body.contains(#""state":"stopped""#) && stopped.body.contains(#""stopped_by":"ada""#))
        _ = try await scene.store.takeReplay(runs[1].id)
        let running = try await send("POST", "/dead-letters/replays/\(runs[1].id)/stop")
        #expect(running.status == 202 && running.body.contains(#""stopped_by":"admin""#))
        for (method, path, status) in [
            ("GET", "/dead-letters/replays/x", 400), ("GET", "/dead-letters/replays?limit=0", 400),
            ("GET", "/dead-letters/replays?x=1", 400),
            ("GET", "/dead-letters/replays/00000000-0000-0000-0000-000000000009", 404),
            ("POST", "/dead-letters/replays/00000000-0000-0000-0000-000000000009/stop", 404),
            ("POST", "/dead-letters/replays", 405), ("GET", "\(path)/stop", 405),
        ] {
            #expect(try await send(method, path).status == status, "\(method) \(path)")
        }
    }

    @Test("a discard needs a reason")
    func discard() async throws {
        try await scene.keep(1)
        let without = try await send("POST", "/dead-letters/discard", body: #"{"filter":{},"confirm":1}"#)
        #expect(without.status == 400)
        let order = #"{"filter":{},"confirm":1,"reason":"a test"}"#
        let answer = try await send("POST", "/dead-letters/discard", body: order)
        #expect(answer.body == #"{"discarded":1,"dry_run":false,"failed":0,"selected":1,"skipped":0}"#)
        let audit = try #require(try await scene.store.deadLetter(DeadLetterScene.id(1))?.audit)
        #expect(audit.map(\.actor) == ["admin"] && audit.map(\.reason) == ["a test"])
    }

    @Test(
        "what is wrong is said, and nothing is done",
        arguments: [
            (#"{"filter":{}}"#, 400, #"confirm: 2 dead letters match: add "confirm": 2"#),
            (#"{"filter":{},"confirm":1}"#, 400, "confirm: 2 dead letters match, not 1"),
            (#"{"filter":{},"confirm":"2"}"#, 400, "confirm: must be an integer"),
            (#"{"confirm":2}"#, 400, "ids, filter: exactly one of them is needed; an empty filter is all"),
            (
                #"{"filter":{},"ids":[],"confirm":2}"#, 400,
                "ids, filter: exactly one of them is needed; an empty filter is all"
            ),
            (#"{"ids":["x"],"confirm":1}"#, 400, "ids: must be an array of UUIDs"),
            (#"{"ids":"x","confirm":1}"#, 400, "ids: must be an array of UUIDs"),
            (
                #"{"ids":["00000000-0000-0000-0000-000000000009"],"confirm":1}"#, 404,
                "there is no dead letter 00000000-0000-0000-0000-000000000009"
            ),
            (#"{"filter":{"cod":"x"},"confirm":2}"#, 400, "filter: knows only code, limit, "),
            (#"{"filter":{"code":"x"},"confirm":2}"#, 400, "code: must be one of invalid_command, "),
            (#"{"filter":{"cursor":"x"},"confirm":2}"#, 400, "filter: knows only code, limit, "),
            (#"{"filter":{"code":1},"confirm":2}"#, 400, "code: must be a string"),
            (
                #"{"filter":{"operation":"x"},"confirm":2}"#, 400,
                "operation: must be one of authorize, capture, void, refund"
            ),
            (
                #"{"filter":{"older_than":"x"},"confirm":2}"#, 400,
                "older-than: must be a duration such as 30s, 15m, 24h"
            ),
            (#"{"filter":{"limit":0},"confirm":2}"#, 400, "limit: must be an integer from 1 to 1000000"),
            (#"{"filter":{},"dryrun":true}"#, 400, "body: knows only confirm, dry_run, filter, ids, rate, "),
            (#"{"filter":{},"confirm":2,"rate":0}"#, 400, "rate: must be an integer from 1 to 100000"),
            (#"{"filter":{},"confirm":2,"stop_at_failures":2}"#, 400, "stop_at_failures: must be a number from 0 to 1"),

            (#"{"filter":{},"dry_run":1}"#, 400, "dry_run: must be true or false"),
            ("{", 400, "body: ends in the middle of a JSON value"), ("[]", 400, "body: must be a JSON object"),
        ]
    )
    func refused(order: String, status: Int, message: String) async throws {
        for number in 1...2 { try await scene.keep(number) }
        let answer = try await send("POST", "/dead-letters/replay", body: order)
        #expect(answer.status == status)
        let text = try JSONParser.parse(Array(answer.body.utf8))["message"]?.string ?? ""
        #expect(text.hasPrefix(message), "\(text)")
        #expect(scene.sink.messages.isEmpty)
        #expect(try await scene.store.deadLetter(DeadLetterScene.id(1))?.audit.isEmpty == true)
    }

    @Test(
        "a list that cannot be made is a bad request",
        arguments: [
            "state=x", "limit=x", "limit=0", "payment=x", "stat=open", "state=open&state=replayed", "code=Unrouted",
            "x", "code=delivery-limit", "cursor=x", "order=",
        ]
    )
    func badList(query: String) async throws {
        #expect(try await send("GET", "/dead-letters?\(query)").status == 400)
    }
}
