import HTTPTypes
import Testing

@testable import Processor

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
