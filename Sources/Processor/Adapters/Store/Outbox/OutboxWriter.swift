import Core
import Postgres
import Synchronization

/// Writes messages to the outbox, in their order, along with what they tell.
struct OutboxWriter: Sendable {
    private let messages: [OutboxMessage]

    init(_ messages: [OutboxMessage]) {
        self.messages = messages
    }

    func write(on connection: isolated PostgresConnection) throws(PostgresError) {
        if messages.isEmpty { return }
        try connection.enqueue(
            """
            INSERT INTO outbox (
                payment_id, operation_id, destination, address, type, message_id, correlation_id, reply_to, headers, body,
                correlation_bytes, created_at, due_at
            )
            SELECT payment_id, operation_id, destination, address, type, message_id, correlation_id, reply_to, headers, body,
                correlation_bytes, clock_timestamp(), clock_timestamp()
            FROM unnest(
                $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                $10::bytea[], $11::bytea[]
            ) WITH ORDINALITY AS n (
                payment_id, operation_id, destination, address, type, message_id, correlation_id, reply_to, headers, body,
                correlation_bytes, position
            )
            ORDER BY position
            """,
            [
                .uuidArray(messages.map { PostgresUUID($0.paymentID.value) }),
                .uuidArray(messages.map { $0.operationID.map { PostgresUUID($0.value) } }),
                .textArray(messages.map(\.destination.outboxName)),
                .textArray(messages.map(\.destination.outboxAddress)),
                .textArray(messages.map(\.message.type)),
                .textArray(messages.map(\.message.messageID)),
                .textArray(messages.map { $0.message.correlationID?.textColumn }),
                .textArray(messages.map(\.message.replyTo)),
                .textArray(messages.map(\.message.headersText)),
                .bytesArray(messages.map(\.message.body)),
                .bytesArray(messages.map { $0.message.correlationID?.bytesColumn }),
            ]
        )
    }
}

extension Destination {
    fileprivate var outboxName: String {
        switch self {
        case .event: "event"
        case .deadLetters: "dead_letter"
        case .replies, .commands, .retry, .sweeps: "reply"
        }
    }

    fileprivate var outboxAddress: String? {
        switch self {
        case .event(let name): name.rawValue
        case .replies(let queue): queue
        case .commands, .retry, .deadLetters, .sweeps: nil
        }
    }
}

extension Message {
    /// The headers as a JSON object; those without a value that we know are left out.
    fileprivate var headersText: String {
        let members = headers.compactMapValues { value -> JSONValue? in
            switch value {
            case .string(let text): .string(text)
            case .integer(let number): .integer(number)
            case .bool(let flag): .bool(flag)
            case .other: nil
            }
        }
        return String(decoding: JSONValue.object(members).encoded, as: UTF8.self)
    }
}

/// Whether the outbox takes more events: a listener that never reads must not fill the database. Judged by the last count.
final class OutboxRoom: Sendable {
    /// Many more than wait while a listener restarts, few enough that going through them costs nothing.
    static let limit = 10_000

    private let waiting = Mutex(0)

    var isLeft: Bool { waiting.withLock { $0 < Self.limit } }

    func note(eventsWaiting count: Int) {
        waiting.withLock { $0 = count }
    }
}
