package import Core

/// A reply as it came (docs/contract.md#replies).
package struct ReceivedReply: Hashable, Sendable {
    package let body: [UInt8]
    package let json: JSONValue
    package let outcome: Reply.Outcome
    /// A final reply follows one that is not.
    package let isFinal: Bool
    /// The answer to an earlier delivery of the same command.
    package let isReplayed: Bool

    /// `nil` for what is not a reply.
    package init?(_ message: Message) {
        guard let json = try? JSONParser.parse(message.body),
            let outcome = json["outcome"]?.string.flatMap(Reply.Outcome.init(rawValue:)),
            case .bool(let isFinal)? = json["final"]
        else { return nil }
        self.json = json
        self.outcome = outcome
        self.isFinal = isFinal
        body = message.body
        isReplayed = message.headers[HeaderName.idempotentReplayed] == .bool(true)
    }

    /// The code of the error, one of docs/contract.md#codes or the bank's.
    package var errorCode: String? { json["error"]?["code"]?.string }
}
