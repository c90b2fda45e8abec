import Core

/// The replies that are owed to messages which were given up while their operation was in manual review.
struct AwaitedTable {
    struct Row: Hashable {
        let merchantID: MerchantID
        let key: IdempotencyKey
        let messageID: String
        let route: ReplyRoute
    }

    private(set) var rows: [Row] = []

    mutating func add(_ command: Command) {
        let isKnown = rows.contains {
            $0.merchantID == command.merchantID && $0.key == command.idempotencyKey && $0.messageID == command.messageID
        }
        if isKnown { return }
        rows.append(
            Row(
                merchantID: command.merchantID,
                key: command.idempotencyKey,
                messageID: command.messageID,
                route: command.route
            )
        )
    }

    mutating func remove(_ deadLetter: DeadLetter) {
        rows.removeAll {
            $0.merchantID == deadLetter.command.merchantID && $0.key == deadLetter.command.idempotencyKey
                && $0.messageID == deadLetter.content.message.messageID
        }
    }

    mutating func remove(_ due: [Row]) { rows.removeAll(where: due.contains) }
}

extension StoreTables {
    /// Puts the replies whose operation has ended into the outbox, but for what is in it already.
    mutating func enqueueAwaited(at now: Timestamp) {
        let due = awaited.rows.filter { operation($0.merchantID, $0.key)?.state.isFinal == true }
        for row in due {
            guard let operation = operation(row.merchantID, row.key) else { continue }
            let isThere = outbox.rows.contains {
                $0.content.operationID == operation.id && $0.content.destination == .replies(row.route.replyTo)
                    && $0.content.message.correlationID == row.route.correlationID
            }
            if !isThere { outbox.append([OutboxMessage(final: operation, by: row.route)], at: now) }
        }
        awaited.remove(due)
    }
}
