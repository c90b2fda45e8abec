import NIOHTTP1

/// What ``FaultKind/status`` answers.
struct StatusAnswer: Equatable, Sendable {
    let status: Int
    /// In addition to the usual header fields, or instead of those of the same name.
    var headers: [String: String] = [:]
    /// nil for the usual one of the status.
    var body: String?
    /// The command is executed and its key stored before this is answered.
    var executes = false

    /// From 400 on an error as the bank writes it, the code being the reason phrase (`too_many_requests`) or, for 500,
    /// the bank's own; else an empty object, or nothing where HTTP allows no body.
    var effectiveBody: String {
        if let body { return body }
        if Self.hasNoBody(status) { return "" }
        guard status >= 400 else { return "{}" }
        if status == BankErrorCode.internalError.status { return HTTPAnswer.internalError.body }
        let phrase = HTTPResponseStatus(statusCode: status).reasonPhrase.lowercased()
        let message = phrase.isEmpty ? "status \(status)" : phrase
        let code = String(message.map { $0.isLetter || $0.isNumber ? $0 : "_" })
        return HTTPAnswer.error(status, code, message).body
    }

    /// No Content and Not Modified (RFC 9110 §6.4.1), and Reset Content (§15.3.6).
    static func hasNoBody(_ status: Int) -> Bool {
        [204, 205, 304].contains(status)
    }
}

extension StatusAnswer {
    static let memberNames = ["status", "headers", "body", "executes"]

    /// The members that frame a message are the server's affair.
    private static let reservedHeaders: Set = ["connection", "content-length", "transfer-encoding"]

    /// Reads `{"status","headers","body","executes"}` out of a fault; all but `status` have defaults.
    init(members: [String: JSONValue]) throws(Fault.Invalid) {
        guard let status = try Fault.integer(members["status"], in: 200...599, "status") else {
            throw Fault.Invalid(message: "the fault status needs a status")
        }
        self.init(status: Int(status))
        headers = try Self.headers(members["headers"])
        switch members["body"] {
        case nil, .null: break
        case .string(let text): body = text
        default: throw Fault.Invalid(message: "body must be a string")
        }
        if Self.hasNoBody(self.status), body?.isEmpty == false {
            throw Fault.Invalid(message: "an answer with status \(status) has no body")
        }
        switch members["executes"] {
        case nil, .null: break
        case .bool(let value): executes = value
        default: throw Fault.Invalid(message: "executes must be true or false")
        }
    }

    private static func headers(_ value: JSONValue?) throws(Fault.Invalid) -> [String: String] {
        switch value {
        case nil, .null: return [:]
        case .object(let members):
            var headers: [String: String] = [:]
            var names: Set<String> = []
            for (name, value) in members {
                guard case .string(let text) = value, isName(name), isValue(text) else {
                    throw Fault.Invalid(message: "headers must be HTTP header fields, each value a string")
                }
                guard !reservedHeaders.contains(name.lowercased()) else {
                    throw Fault.Invalid(message: "headers must not frame the message")
                }
                guard names.insert(name.lowercased()).inserted else {
                    throw Fault.Invalid(message: "headers must not name a field twice")
                }
                headers[name] = text
            }
            return headers
        default: throw Fault.Invalid(message: "headers must be an object")
        }
    }

    /// A token (RFC 9110 §5.6.2).
    private static func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    /// No control characters but the tab (RFC 9110 §5.5).
    private static func isValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }
    }
}
