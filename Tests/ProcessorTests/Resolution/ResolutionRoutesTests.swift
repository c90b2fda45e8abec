import Core
import Logging
import Simulation
import Testing

@testable import Processor

@Suite("Resolving over HTTP", .timeLimit(.minutes(1)))
struct ResolutionRoutesTests {
    private let scene = ResolutionScene()

    private func post(
        _ body: String,
        id: String = ResolutionScene.id,
        headers: [String: String] = [:]
    ) async throws -> PlainHTTP.Answer {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let server = AdminServer(
            configuration: AdminConfiguration(host: "127.0.0.1", port: 0, token: nil),
            queries: scene.store,
            deadLetters: .inMemory(),
            resolver: scene.resolver,
            readiness: Readiness(),
            metrics: PrometheusRegistry(),
            logger: try CapturedLog(level: .critical).logger,
            onListening: { port.yield($0) }
        )
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            let answer = try await PlainHTTP.send(
                "POST",
                "/payments/\(id)/resolve",
                port: port,
                headers: ["Content-Type": "application/json"].merging(headers) { $1 },
                body: body
            )
            tasks.cancelAll()
            return answer
        }
    }

    private static func answer(done: Bool) -> String {
        """
        {"as":"failed","bank":{"id":null,"key":"unknown","message":"the bank knows nothing under its key"},\
        "dead_letters":0,"done":\(done),"idempotency_key":"key-1","merchant_id":"default","operation":"capture",\
        "outcome":"declined","payment_id":"00000000-0000-0000-0000-000000000001","reason":"r","status":"AUTHORIZED"}
        """
    }

    @Test("it says what would be done, and does it when it is confirmed; who acts is in the history")
    func resolve() async throws {
        try await scene.prepare()
        let plan = try await post(#"{"operation":"capture","as":"failed","reason":"r"}"#)
        #expect(plan.status == 200 && plan.body == Self.answer(done: false))
        #expect(try await scene.operation.state == .needsAttention)
        let order = #"{"operation":"key-1","as":"failed","reason":"r","confirm":true,"bank_id":null}"#
        let done = try await post(order, headers: ["X-Operator": "ada"])
        #expect(done.status == 200 && done.body == Self.answer(done: true))
        #expect(try await scene.operation.state == .declined)
        let view = try await scene.store.payment(try #require(PaymentID(ResolutionScene.id)))
        #expect(view?.history.last?.cause == "capture resolved as failed by ada: r")
    }

    @Test(
        "what is refused is an error with its code, and nothing is done",
        arguments: [
            (.captured("cap_1"), #""as":"failed""#, 409, "bank_contradicts"),
            (.captured("cap_1"), #""as":"succeeded","bank_id":"cap_2""#, 409, "bank_contradicts"),
            (.unknown, #""as":"succeeded""#, 400, "bank_id_needed"),
            (.unreachable, #""as":"failed""#, 503, "unavailable"),
            (.unknown, #""as":"failed","merchant_id":"other""#, 404, "not_found"),
            (.unknown, #""as":"lost""#, 400, "invalid_request"),
            (.unknown, #""as":1"#, 400, "invalid_request"),
            (.unknown, #""as":"failed","force":true"#, 400, "invalid_request"),
            (.unknown, #""as":"failed","confirm":"yes""#, 400, "invalid_request"),
        ] as [(SayingBank.Word, String, Int, String)]
    )
    func refused(word: SayingBank.Word, members: String, status: Int, code: String) async throws {
        try await scene.prepare()
        scene.bank.say(word)
        let confirm = members.contains("confirm") ? "" : #","confirm":true"#
        let answer = try await post(#"{"operation":"capture","reason":"r",\#(members)\#(confirm)}"#)
        #expect(answer.status == status, "\(answer.body)")
        let json = try JSONParser.parse(Array(answer.body.utf8))
        #expect(json["error"]?.string == code && json["message"]?.string?.isEmpty == false)
        #expect(try await scene.operation.state == .needsAttention)
    }

    @Test("an order that cannot be read, or is about nothing, is an error")
    func malformed() async throws {
        let order = #"{"operation":"capture","as":"failed","reason":"r","confirm":true}"#
        #expect(try await post(order).status == 404)
        #expect(try await post(order, id: "no-uuid").status == 400)
        for body in ["", "{", "[]", #"{"as":"failed","reason":"r"}"#, #"{"operation":"k","as":"failed"}"#] {
            #expect(try await post(body).status == 400, "\(body)")
        }
        scene.store.setDown(true)
        #expect(try await post(order).status == 503)
    }
}
