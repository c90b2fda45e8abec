import Testing

@testable import BankSimulator

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
