import Testing

@testable import Processor

@Suite("Access to the admin server", .timeLimit(.minutes(1)))
struct AdminAccessTests {
    @Test(
        "who may ask what",
        arguments: [
            (nil, "/metrics", nil, "127.0.0.1", .allowed), (nil, "/metrics", nil, "::1", .allowed),
            (nil, "/metrics", nil, "::ffff:127.0.0.1", .allowed), (nil, "/metrics", nil, nil, .forbidden),
            (nil, "/metrics", nil, "10.0.0.1", .forbidden),
            (nil, "/healthz", nil, "10.0.0.1", .allowed), (nil, "/readyz", nil, nil, .allowed),
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
        let access = AdminAccess(token: token.map { Secret($0) })
        #expect(access.decide(path: path, authorization: authorization, peer: peer) == expected)
    }
}
