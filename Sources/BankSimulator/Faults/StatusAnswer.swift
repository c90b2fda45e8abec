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
