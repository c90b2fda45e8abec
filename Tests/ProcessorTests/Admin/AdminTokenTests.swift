import HTTPTypes
import TestSupport
import Testing

@testable import Processor

@Suite("Tokens of the admin server", .timeLimit(.minutes(1)))
struct AdminTokenTests {
    /// `printf %s first-token | sha256sum`
    private static let digest = "55b4b48f529c3d2daa027cbffa6cfb6a03690424550f22109e39917406c8243b"

    private func tokens(_ text: String) throws -> [AdminToken] {
        let directory = try ScratchDirectory()
        defer { directory.remove() }
        try ScratchDirectory.write(text, to: directory.file("tokens"))
        return try Settings.adminTokensFile.form.parse(directory.file("tokens"))
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
        #expect(throws: ValueProblem.self) { try Settings.adminTokensFile.form.parse("/nowhere/tokens") }
    }
}
