import AMQP
import Core

/// A reply as an upstream service sees it.
struct ReceivedReply: Sendable {
    let message: AMQPMessage
    let json: JSONValue
    /// The broker gave it out before, to a connection that has ended since.
    let isRedelivered: Bool

    init(_ delivery: AMQPDelivery) throws(JSONError) {
        message = delivery.message
        isRedelivered = delivery.redelivered
        json = try JSONParser.parse(message.body)
    }

    var body: String { String(decoding: message.body, as: UTF8.self) }
    var isFinal: Bool { json["final"] == .bool(true) }
    var outcome: String? { json["outcome"]?.string }
    var errorCode: String? { json["error"]?["code"]?.string }
    var errorMessage: String? { json["error"]?["message"]?.string }
    var paymentStatus: String? { json["payment"]?["status"]?.string }
    var isReplayed: Bool? { message.properties.headers["idempotent-replayed"]?.boolValue }

    /// `succeeded`, or `rejected invalid_transition`: what a test usually asks for.
    var result: String { [outcome, errorCode].compactMap(\.self).joined(separator: " ") }
}
