import Core
import HTTPTypes
import Hummingbird
import TestSupport
import Testing

@testable import Processor

/// docs/openapi.yaml against the code.
@Suite("The admin API for machines", .timeLimit(.minutes(1)))
struct DocumentedAdminAPITests: AdminScene {
    let readiness = Readiness()
    private let page = YAMLPage("docs/openapi.yaml")

    private func schema(_ name: String) -> JSONValue { page["components/schemas/\(name)"] }

    /// `GET /payments/{}` and so on, each with what the document says of it and of its path.
    private var operations: [String: [JSONValue]] {
        var operations: [String: [JSONValue]] = [:]
        for (path, item) in page["paths"].members {
            for (method, operation) in item.members where method != "parameters" {
                operations["\(method.uppercased()) \(Self.bare(path))"] = [operation, item]
            }
        }
        return operations
    }

    /// Without the names of its parameters.
    private static func bare(_ path: String) -> String {
        let segments = path.split(separator: "/").map { $0.first == "{" || $0.first == ":" ? "{}" : $0 }
        return "/" + segments.joined(separator: "/")
    }

    @Test("the routes: every one that is served, and no other")
    func routes() {
        let registry = PrometheusRegistry()
        let routes = AdminRoutes(
            queries: FakeQueries(),
            deadLetters: .inMemory(),
            resolver: ResolutionScene().resolver,
            readiness: readiness,
            metrics: registry,
            cardKeys: .empty
        )
        let router = routes.router(access: AdminAccess(tokens: []), limits: .patient)
        let served = router.routes.map { "\($0.method.rawValue) \(Self.bare($0.path.description))" }
        #expect(Set(served.filter { !$0.hasPrefix("HEAD ") }) == Set(operations.keys))
    }

    /// Its pages answer people, not programs: docs/console.md lists them.
    @Test("the pages of the console: every one that is served, and no other")
    func pages() throws {
        let scene = ConsoleScene()
        let router = Router(context: AdminContext.self)
        try Console(scene.parts(), access: AdminAccess(tokens: [])).add(to: router)
        let served = router.routes.map { "\($0.method.rawValue) \(Self.bare($0.path.description))" }
        let text = ScratchDirectory.read("\(DocumentationPage.root)/docs/console.md")
        let documented = text.matches(of: /`(GET|POST) (\/console[^`? ]*)/).map { match in
            "\(match.output.1) \(Self.bare(String(match.output.2)))"
        }
        #expect(Set(served) == Set(documented))
        #expect(operations.keys.allSatisfy { !$0.contains("/console") })
    }

    @Test("the query parameters of each route, as its refusal of another one names them")
    func queryParameters() async throws {
        // What probes and Prometheus ask for takes whatever they add.
        let lenient: Set = ["GET /healthz", "GET /readyz", "GET /metrics", "GET /.well-known/jwks.json"]
        for (name, parts) in operations where !lenient.contains(name) {
            let words = name.split(separator: " ")
            let path = words[1].replacing("{}", with: "00000000-0000-0000-0000-000000000001")
            let answer = try await send(String(words[0]), "\(path)?nonsense=1")
            let message = try JSONParser.parse(Array(answer.body.utf8))["message"]?.string ?? ""
            let known = message.firstRange(of: "known are ").map { message[$0.upperBound...] } ?? ""
            let parameters = parts.flatMap { $0["parameters"]?.elements ?? [] }.map { parameter in
                parameter["$ref"]?.string.map { page[String($0.dropFirst(2))] } ?? parameter
            }
            let documented = parameters.filter { $0["in"]?.string == "query" }.compactMap { $0["name"]?.string }
            #expect(answer.status == 400, "\(name)")
            #expect(
                documented.sorted() == known.split(separator: ", ").map(String.init).sorted(),
                "\(name): \(message)"
            )
        }
    }

    @Test("the members of each body, as the refusal of another one names them")
    func bodyMembers() async throws {
        let id = "00000000-0000-0000-0000-000000000001"
        let bodies = [
            ("/payments/\(id)/resolve", #"{"nonsense":1}"#, "ResolutionOrder"),
            ("/dead-letters/replay", #"{"nonsense":1}"#, "ReplayOrder"),
            ("/dead-letters/discard", #"{"nonsense":1}"#, "DiscardOrder"),
            ("/dead-letters/replay", #"{"filter":{"nonsense":1}}"#, "DeadLetterFilter"),
        ]
        for (path, body, name) in bodies {
            let answer = try await withServer { port in
                try await PlainHTTP.send("POST", path, port: port, body: body)
            }
            let message = try JSONParser.parse(Array(answer.body.utf8))["message"]?.string ?? ""
            let known = message.firstRange(of: "knows only ").map { message[$0.upperBound...] } ?? ""
            let documented = (schema(name)["properties"] ?? .null).members.keys.sorted()
            #expect(documented == known.split(separator: ", ").map(String.init).sorted(), "\(name): \(message)")
            #expect(schema(name)["additionalProperties"] == .bool(false), "\(name)")
        }
    }

    @Test("the words of answers and filters")
    func words() {
        let words: [(String, [String])] = [
            ("Operation", OperationKind.allCases.map(\.rawValue)),
            ("PaymentStatus", PaymentStatus.allCases.map(\.rawValue)),
            ("OperationState", OperationState.allCases.map(\.rawValue)),
            ("PossibleOrphan", PossibleOrphan.allCases.map(\.rawValue)),
            ("Verdict", BankCallVerdict.allCases.map(\.rawValue)),
            ("Tier", RetryTier.allCases.map(\.rawValue)),
            ("Link", Readiness.Link.allCases.map(\.rawValue)),
            ("DeadLetterCode", DeadLetterCode.allCases.map(\.rawValue)),
            ("DeadLetterState", DeadLetterState.allCases.map(\.rawValue)),
            ("StateFilter", DeadLetterState.allCases.map(\.rawValue) + ["all"]),
            ("ReplayState", ReplayRun.State.allCases.map(\.rawValue)),
            ("ReplayProblem", ReplayResult.allCases.filter { $0 != .replayed }.map(\.rawValue)),
        ]
        for (name, values) in words { #expect(schema(name)["enum"]?.strings == values, "\(name)") }
        let bank = schema("Readiness")["properties"]?["bank"]?["enum"]?.strings
        #expect(bank == BreakerCondition.allCases.map(\.rawValue))
        let source = schema("DeadLetter")["properties"]?["source"]?["enum"]?.strings
        #expect(source == DeadLetterFailure.Source.allCases.map(\.rawValue))
        for end in schema("ResolutionEnd")["enum"]?.strings ?? [] {
            #expect(ResolutionOrder.End(rawValue: end) != nil, "\(end)")
        }
    }

    @Test("the codes of errors: every one in the code, and no other")
    func errorCodes() {
        let sources = "\(DocumentationPage.root)/Sources"
        let ours = ScratchDirectory.read("\(sources)/Processor/Admin/AdminError.swift")
        let refusals = ScratchDirectory.read("\(sources)/Core/Decisions/ResolutionOrder.swift")
        var codes = Set(ours.matches(of: /code: "(\w+)"/).map { String($0.output.1) })
        codes.formUnion(refusals.matches(of: /case [.\w, ]+: "(\w+)"\n/).map { String($0.output.1) })
        codes.insert(StoreError.Code.bankIDTaken.rawValue)
        #expect(Set(schema("Error")["properties"]?["error"]?["enum"]?.strings ?? []) == codes)
    }

    @Test("the metrics, with their types and labels")
    func metrics() {
        let families = MetricFamilies()
        let documented = page["paths"]["/metrics"]?["get"]?["x-metrics"] ?? .null
        #expect(documented.members.mapValues { $0["type"]?.string } == families.types.mapValues(Optional.some))
        for (name, metric) in documented.members {
            #expect(Set(metric["labels"]?.strings ?? []) == families.labels[name], "\(name)")
        }
    }
}
