import ConfigurationReading
import Core
import Crypto
import FoundationEssentials

/// What a token allows.
enum AdminRole: String, CaseIterable, Sendable {
    /// To look at everything.
    case read
    /// To act, too.
    case operate
}

/// A bearer token of the admin server: whose it is, and what it allows (docs/contract.md#admin-tokens).
struct AdminToken: Hashable, Sendable {
    /// Who acts, in the audit.
    let name: String
    let role: AdminRole
    /// SHA-256 of the token.
    private let digest: [UInt8]

    /// The name of `admin.token`.
    static let admin = "admin"

    init(name: String = admin, role: AdminRole = .operate, token: Secret) {
        self.name = name
        self.role = role
        digest = Self.digest(of: token.bytes)
    }

    /// A line `name role sha256-of-token`.
    init(line: Substring) throws(ValueProblem) {
        let fields = line.split(whereSeparator: \.isWhitespace).map(String.init)
        guard fields.count == 3 else { throw ValueProblem("is not a name, a role and a digest") }
        guard DeadLetterOrder.isText(fields[0], length: 1...128) else {
            throw ValueProblem("has a name that is not 1 to 128 printable characters")
        }
        guard let role = AdminRole(rawValue: fields[1]) else {
            throw ValueProblem("has a role that is not read or operate")
        }
        guard let digest = Self.bytes(fields[2]), digest.count == SHA256.byteCount else {
            throw ValueProblem("has no SHA-256 digest of 64 hexadecimal digits")
        }
        name = fields[0]
        self.role = role
        self.digest = digest
    }

    static func digest(of token: some Sequence<UInt8>) -> [UInt8] { Array(SHA256.hash(data: Array(token))) }

    /// In a time that does not depend on how much of it is right.
    func matches(_ sent: [UInt8]) -> Bool {
        guard sent.count == digest.count else { return false }
        var difference: UInt8 = 0
        for (left, right) in zip(sent, digest) { difference |= left ^ right }
        return difference == 0
    }

    private static func bytes(_ digits: String) -> [UInt8]? {
        let values = digits.utf8.map { UInt8(String(UnicodeScalar($0)), radix: 16) }
        guard values.count.isMultiple(of: 2), values.allSatisfy({ $0 != nil }) else { return nil }
        return stride(from: 0, to: values.count, by: 2).map { (values[$0] ?? 0) << 4 | (values[$0 + 1] ?? 0) }
    }
}

extension AdminToken: CustomStringConvertible, CustomReflectable {
    var description: String { "\(name) (\(role.rawValue))" }
    var customMirror: Mirror { Mirror(self, children: ["name": name, "role": role.rawValue]) }
}

extension ValueForm where Value == [AdminToken] {
    /// Empty lines and those that begin with # count for nothing.
    static let adminTokens = ValueForm(
        allowed: "the path of a readable file with lines of name, role (read or operate) and SHA-256 of the token"
    ) { text throws(ValueProblem) in
        guard !text.utf8.contains(0), let data = FileManager.default.contents(atPath: text), data.count <= 1 << 20,
            let content = String(validating: data, as: UTF8.self)
        else { throw ValueProblem("names a file that cannot be read as UTF-8 text") }
        var tokens: [AdminToken] = []
        for (index, line) in content.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard let first = line.first(where: { !$0.isWhitespace }), first != "#" else { continue }
            do throws(ValueProblem) {
                tokens.append(try AdminToken(line: line))
            } catch {
                throw ValueProblem("line \(index + 1) \(error)")
            }
        }
        guard !tokens.isEmpty else { throw ValueProblem("names a file without any token") }
        guard Set(tokens.map(\.name)).count == tokens.count else {
            throw ValueProblem("has the same name on two lines")
        }
        return tokens
    }
}
