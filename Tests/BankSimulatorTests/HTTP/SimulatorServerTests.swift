import HTTPClient
import Logging
import NIOCore
import Testing

@testable import BankSimulator

@Suite("The simulator on a port", .timeLimit(.minutes(2)))
struct SimulatorServerTests {
    @Test("answers and replays carry their headers")
    func headers() async throws {
        try await LiveSimulator.run { bank in
            let first = try await bank.authorize()
            #expect(first.status == 200)
            #expect(first.header("Content-Type") == "application/json")
            #expect(first.header("X-Idempotent-Replayed") == nil)
            let again = try await bank.send(.post, "/api/v1/authorizations", key: "k", "x")
            #expect(again.header("X-Idempotent-Replayed") == "true")
            #expect(again.text == first.text)
            let malformed = try await bank.send(.post, "/api/v1/authorizations", LiveSimulator.authorization)
            #expect(malformed.status == 400)
            #expect(malformed.header("Content-Type")?.hasPrefix("text/plain") == true)
        }
    }

    @Test("every answer has the simulator's date, which the clock endpoint moves")
    func date() async throws {
        try await LiveSimulator.run { bank in
            let before = try await bank.send(.get, "/health").header("Date")
            let moved = try await bank.send(.post, "/clock", #"{"offset_seconds":-999999999}"#)
            let after = try await bank.send(.get, "/health").header("Date")
            #expect(before?.hasSuffix(" GMT") == true && after?.hasSuffix(" GMT") == true)
            let year = String(moved.text.dropFirst(#"{"now":""#.count).prefix(4))
            #expect(before?.contains(" \(year) ") == false)
            #expect(after?.contains(" \(year) ") == true)
        }
    }

    @Test("several requests go over one connection")
    func keepAlive() async throws {
        try await LiveSimulator.run { bank in
            let client = try HTTPClient(configuration: HTTPClientConfiguration(maxConnections: 1))
            for number in 1...20 {
                let request = bank.request(
                    .post,
                    "/api/v1/authorizations",
                    key: "\(number)",
                    LiveSimulator.authorization
                )
                #expect(try await client.send(request).status == 200)
            }
            #expect(try await bank.effects() == 20)
        }
    }

    @Test("the query is not part of the path")
    func query() async throws {
        try await LiveSimulator.run { bank in
            _ = try await bank.authorize()
            #expect(try await bank.send(.get, "/ledger?since=1").text == #"{"entries":[]}"#)
        }
    }

    @Test(
        "a cut connection ends without a byte of an answer, before or after the effect",
        arguments: [("drop-before", 0), ("drop-after", 1), ("down", 0)]
    )
    func cut(fault: String, effects: Int) async throws {
        try await LiveSimulator.run { bank in
            _ = try await bank.send(.post, "/faults", #"{"fault":"\#(fault)"}"#)
            let error = await #expect(throws: HTTPError.self) {
                _ = try await bank.authorize()
            }
            #expect(error?.code == .connectionLost)
            _ = try await bank.send(.delete, "/faults")
            #expect(try await bank.effects() == effects)
            let again = try await bank.authorize()
            #expect((again.header("X-Idempotent-Replayed") != nil) == (effects == 1))
        }
    }

    @Test("whoever has an answer can rely on its key")
    func keyBeforeAnswer() async throws {
        try await LiveSimulator.run {
            $0.keyStoreDelay = 1...20
        } _: { bank in
            for number in 1...20 {
                let answer = try await bank.authorize(key: "\(number)")
                let again = try await bank.authorize(key: "\(number)")
                #expect(answer.status == 200 && answer.header("X-Idempotent-Replayed") == nil)
                #expect(again.header("X-Idempotent-Replayed") == "true" && again.text == answer.text)
            }
            #expect(try await bank.effects() == 20)
        }
    }

    @Test("a body too large is refused, and the server lives on")
    func tooLarge() async throws {
        try await LiveSimulator.run { bank in
            let body = String(repeating: " ", count: ArrivalHandler.maximumBodySize + 1)
            let answer = try await bank.send(.post, "/api/v1/authorizations", key: "k", body)
            #expect(answer.status == 400)
            #expect(try await bank.send(.get, "/health").status == 200)
        }
    }

    @Test("a path that is none does not harm it")
    func strangePath() async throws {
        try await LiveSimulator.run { bank in
            let answer = try await bank.send(.put, "/%zz?%", key: String(repeating: "k", count: 5_000))
            #expect(answer.status == 404)
            #expect(try await bank.send(.get, "/health").status == 200)
        }
    }

    @Test("a server that cannot have its port says so")
    func portTaken() async throws {
        try await LiveSimulator.run { bank in
            let second = SimulatorServer(
                Simulator(configuration: SimulatorConfiguration()),
                host: "127.0.0.1",
                port: bank.port,
                logger: Logger(label: "test")
            )
            await #expect(throws: IOError.self) { try await second.run { _ in } }
        }
    }
}

@Suite("Routes", .timeLimit(.minutes(1)))
struct RouteTests {
    static let id = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"

    @Test(
        "every endpoint has its method",
        arguments: [
            ("POST", "/api/v1/authorizations", .command(.authorize)),
            ("POST", "/api/v1/captures", .command(.capture)),
            ("POST", "/api/v1/voids", .command(.void)),
            ("POST", "/api/v1/refunds", .command(.refund)),
            (
                "GET", "/api/v1/authorizations/auth_\(id)",
                .query(.authorization(EffectID("auth_\(id)", .authorization)))
            ),
            ("GET", "/api/v1/captures/cap_\(id)", .query(.capture(EffectID("cap_\(id)", .capture)))),
            ("GET", "/api/v1/refunds/ref_\(id)", .query(.refund(EffectID("ref_\(id)", .refund)))),
            ("GET", "/api/v1/refunds/nonsense", .query(.refund(nil))),
            ("GET", "/health", .health),
            ("GET", "/ledger", .control(.ledger)), ("GET", "/requests", .control(.requests)),
            ("POST", "/faults", .control(.addFault)), ("GET", "/faults", .control(.listFaults)),
            ("DELETE", "/faults", .control(.deleteFaults)), ("POST", "/clock", .control(.moveClock)),
            ("GET", "/api/v1/voids/void_\(id)", .unknown), ("GET", "/api/v1/captures", .unknown),
            ("GET", "/api/v1/captures/", .unknown), ("GET", "/api/v1/captures/a/b", .unknown),
            ("PUT", "/api/v1/captures", .unknown), ("POST", "/health", .unknown), ("GET", "/", .unknown),
        ] as [(String, String, Route)]
    )
    func routes(method: String, path: String, expected: Route) {
        #expect(Route(method: method, path: path) == expected)
    }
}
