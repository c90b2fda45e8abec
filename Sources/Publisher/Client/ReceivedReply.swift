import AMQP
import BrokerMapping
import Core

/// A reply as it came (docs/contract.md#replies).
struct ReceivedReply: Hashable, Sendable {
    let body: [UInt8]
    let json: JSONValue
    let outcome: Reply.Outcome
    /// A final reply follows one that is not.
    let isFinal: Bool
    /// The answer to an earlier delivery of the same command.
    let isReplayed: Bool

    /// `nil` for what is not a reply.
    init?(_ message: Message) {
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
    var errorCode: String? { json["error"]?["code"]?.string }

    /// Says what a program should know of it.
    var status: PublisherStatus {
        switch outcome {
        case .succeeded: .succeeded
        case .declined: .declined
        case .rejected: .rejected
        case .unknown: .unknown
        }
    }
}
