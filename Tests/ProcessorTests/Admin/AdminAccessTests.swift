import ConfigurationReading
import HTTPTypes
import TestSupport
import Testing

@testable import Processor

@Suite("Access to the admin server", .timeLimit(.minutes(1)))
struct AdminAccessTests: AdminScene {
    let readiness = Readiness()

    @Test(
        "who may ask what",
        arguments: [
            (nil, "/metrics", nil, "127.0.0.1", .allowed), (nil, "/metrics", nil, "::1", .allowed),
            (nil, "/metrics", nil, "::ffff:127.0.0.1", .allowed), (nil, "/metrics", nil, nil, .forbidden),
            (nil, "/metrics", nil, "10.0.0.1", .forbidden),
            (nil, "/healthz", nil, "10.0.0.1", .allowed), (nil, "/readyz", nil, nil, .allowed),
            (nil, "/.well-known/jwks.json", nil, "10.0.0.1", .allowed),
            ("t", "/.well-known/jwks.json", nil, "10.0.0.1", .allowed),
            ("t", "/.well-known/jwks.jso", nil, "10.0.0.1", .unauthorized),
            (nil, "/healthz/x", nil, "10.0.0.1", .forbidden),
            (nil, "/metrics", "Bearer x", "10.0.0.1", .forbidden),
            ("t", "/healthz", nil, "10.0.0.1", .allowed), ("t", "/readyz", nil, nil, .allowed),
            ("t", "/metrics", nil, "127.0.0.1", .unauthorized), ("t", "/metrics", "Bearer t", "10.0.0.1", .allowed),
            ("t", "/healthz/", nil, "10.0.0.1", .unauthorized),
            ("t", "/metrics", "Bearer tt", "10.0.0.1", .unauthorized),
        ] as [(String?, String, String?, String?, AdminAccess.Decision)]
    )
    func access(
        token: String?,
        path: String,
        authorization: String?,
        peer: String?,
        expected: AdminAccess.Decision
    ) {
        let access = AdminAccess(tokens: token.map { [AdminToken(token: Secret($0))] } ?? [])
        #expect(access.decide(path: path, caller: access.caller(authorization), peer: peer) == expected)
    }

    @Test(
        "with a token, all but the probes want it",
        arguments: [
            ("/healthz", nil, 200), ("/readyz", nil, 503), ("/metrics", nil, 401), ("/metrics", "Bearer wrong", 401),
            ("/metrics", "Bearer s3cre", 401), ("/metrics", "Bearer s3crets", 401), ("/metrics", "Bearer ", 401),
            ("/metrics", "Basic s3cret", 401), ("/metrics", "s3cret", 401), ("/metrics", "Bearer s3cret", 200),
            ("/metrics", "bearer s3cret", 200), ("/nothing", nil, 401), ("/nothing", "Bearer s3cret", 404),
            ("/payments?order_id=a", nil, 401), ("/payments?order_id=a", "Bearer s3cret", 200),
        ] as [(String, String?, Int)]
    )
    func tokens(uri: String, authorization: String?, status: Int) async throws {
        let answer = try await get(uri, token: "s3cret", authorization: authorization)
        #expect(answer.status == status)
        guard status == 401 else { return }
        #expect(answer.headers["www-authenticate"] == "Bearer")
        #expect(answer.body.hasPrefix(#"{"error":"unauthorized","message":""#))
    }

    @Test("who may not is told why")
    func refusals() {
        #expect(AdminAccess.Decision.allowed.refusal == nil)
        #expect(AdminAccess.Decision.unauthorized.refusal?.status.code == 401)
        #expect(AdminAccess.Decision.forbidden.refusal?.status.code == 403)
        #expect(AdminAccess.Decision.forbidden.refusal?.code == "forbidden")
    }

    @Test(
        "without a token a page of somebody else's gets nothing, and a form changes nothing",
        arguments: [
            ("GET", "/metrics", ["Host": "attacker.example"], 403),
            ("GET", "/payments?order_id=a", ["Origin": "http://attacker.example"], 403),
            ("GET", "/dead-letters", ["Sec-Fetch-Site": "cross-site"], 403),
            ("POST", "/dead-letters/discard", ["Content-Type": "text/plain"], 415),
            ("POST", "/payments/x/resolve", ["Content-Type": "application/x-www-form-urlencoded"], 415),
            ("POST", "/dead-letters/discard", ["Host": "attacker.example"], 403),
            ("POST", "/metrics", ["Content-Type": "text/plain"], 405),
            ("POST", "/none", ["Content-Type": "text/plain"], 404),
            ("GET", "/healthz", ["Host": "processor.example", "Origin": "http://a.example"], 200),
            ("GET", "/readyz", ["Host": "10.0.0.1:9090"], 503), ("GET", "/metrics", [:], 200),
        ] as [(String, String, [String: String], Int)]
    )
    func foreignPages(method: String, uri: String, headers: [String: String], status: Int) async throws {
        try await withServer { port in
            let answer = try await PlainHTTP.send(
                method,
                uri,
                port: port,
                headers: headers,
                body: method == "POST" ? "{}" : ""
            )
            #expect(answer.status == status)
        }
    }

    @Test("with a token, whoever has it is served by any name")
    func tokenByAnyName() async throws {
        try await withServer(token: "t") { port in
            let headers = ["Host": "processor.example", "Origin": "http://a.example", "Authorization": "Bearer t"]
            let answer = try await PlainHTTP.send("GET", "/metrics", port: port, headers: headers)
            #expect(answer.status == 200)
        }
    }
}

@Suite("Tokens of the admin server", .timeLimit(.minutes(1)))
struct AdminTokenTests {
    /// `printf %s first-token | sha256sum`
    private static let digest = "55b4b48f529c3d2daa027cbffa6cfb6a03690424550f22109e39917406c8243b"

    private func tokens(_ text: String) throws -> [AdminToken] {
        let directory = try ScratchDirectory()
        defer { directory.remove() }
        try ScratchDirectory.write(text, to: directory.file("tokens"))
        return try Settings.table.adminTokens.form.parse(directory.file("tokens"))
    }

    @Test("a token is known by its digest, and by nothing else")
    func digest() throws {
        let text = "# operators\n\nada operate \(Self.digest)\n  bob\tread \(String(repeating: "0", count: 64))\n"
        let tokens = try tokens(text)
        #expect(tokens.map(\.description) == ["ada (operate)", "bob (read)"])
        let access = AdminAccess(tokens: tokens)
        #expect(access.caller("Bearer first-token")?.name == "ada")
        #expect(access.caller("bearer first-token")?.role == .operate)
        for sent in ["Bearer \(Self.digest)", "Bearer first-toke", "Bearer first-tokens", "Bearer ", "first-token"] {
            #expect(access.caller(sent) == nil)
        }
        #expect(access.caller(nil) == nil)
    }

    @Test("who reads may look at everything and do nothing; who operates may do it all")
    func roles() {
        let access = AdminAccess(tokens: [
            AdminToken(name: "bob", role: .read, token: Secret("reading-token-16")),
            AdminToken(name: "ada", role: .operate, token: Secret("operating-token-16")),
        ])
        let table: [(token: String, method: HTTPRequest.Method, expected: AdminAccess.Decision)] = [
            ("reading-token-16", .get, .allowed), ("reading-token-16", .head, .allowed),
            ("reading-token-16", .post, .readOnly), ("reading-token-16", .delete, .readOnly),
            ("operating-token-16", .get, .allowed), ("operating-token-16", .post, .allowed),
            ("another-token-of-16", .get, .unauthorized),
        ]
        for row in table {
            let caller = access.caller("Bearer \(row.token)")
            let decision = access.decide(path: "/payments", method: row.method, caller: caller, peer: "127.0.0.1")
            #expect(decision == row.expected, "\(row)")
        }
        #expect(AdminAccess.Decision.readOnly.refusal?.status.code == 403)
    }

    @Test("a line that is none is named by its number, and nothing of it is shown")
    func badLines() throws {
        let table = [
            ("ada operate", "line 1 is not a name"), ("ada admin \(Self.digest)", "line 1 has a role"),
            ("#\nada read abc", "line 2 has no SHA-256"),
            ("ada read \(Self.digest.dropLast())g", "line 1 has no SHA-256"),
            ("", "names a file without any token"),
            ("ada read \(Self.digest)\nada operate \(Self.digest)", "has the same name on two lines"),
        ]
        for (text, words) in table {
            let problem = #expect(throws: ValueProblem.self) { try tokens(text) }
            #expect(problem?.description.hasPrefix(words) == true, "\(problem?.description ?? "")")
        }
        #expect(throws: ValueProblem.self) { try Settings.table.adminTokens.form.parse("/nowhere/tokens") }
    }
}

@Suite("Browsers at the admin server", .timeLimit(.minutes(1)))
struct BrowserGuardTests {
    @Test(
        "without a token, only what this machine's own pages and programs ask is served",
        arguments: [
            ("localhost:9090", nil, nil, true), ("127.0.0.1", nil, nil, true), ("[::1]:9090", nil, "none", true),
            ("LOCALHOST:9090", "http://localhost:9090", "same-origin", true),
            ("attacker.example:9090", nil, nil, false), ("localhost.attacker.example", nil, nil, false),
            ("127.0.0.1.attacker.example", nil, nil, false), ("", nil, nil, false), (nil, nil, nil, false),
            ("[::2]:9090", nil, nil, false),
            ("localhost:9090", "http://attacker.example", nil, false), ("localhost:9090", "null", nil, false),
            ("localhost:9090", "http://localhost:8080", nil, false),
            ("localhost:9090", nil, "cross-site", false), ("localhost:9090", nil, "same-site", false),
            ("localhost:9090", "http://localhost:9090", "cross-site", false),
        ] as [(String?, String?, String?, Bool)]
    )
    func pages(host: String?, origin: String?, site: String?, isServed: Bool) throws {
        var head = HTTPRequest(method: .get, scheme: "http", authority: host, path: "/payments")
        if let origin { head.headerFields[.origin] = origin }
        if let site { head.headerFields[try #require(HTTPField.Name("Sec-Fetch-Site"))] = site }
        let refusal = BrowserGuard.refusal(of: head)
        #expect((refusal == nil) == isServed)
        if let refusal { #expect(refusal.status == .forbidden) }
    }

    @Test(
        "a form is no JSON",
        arguments: [
            ("application/json", true), ("application/json; charset=utf-8", true), ("Application/JSON", true),
            ("application/json ;charset=utf-8", true), (nil, false), ("text/plain", false),
            ("application/x-www-form-urlencoded", false), ("text/plain; application/json", false), ("", false),
            ("multipart/form-data; boundary=application/json", false),
        ] as [(String?, Bool)]
    )
    func forms(type: String?, isJSON: Bool) {
        var head = HTTPRequest(method: .post, scheme: "http", authority: "localhost", path: "/dead-letters/replay")
        if let type { head.headerFields[.contentType] = type }
        #expect(BrowserGuard.isJSON(head) == isJSON)
    }
}
