import HTTPTypes
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
