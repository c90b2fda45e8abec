import Core

/// The replies that are owed to messages which were given up while their operation was in manual review.
struct AwaitedTable {
    struct Row: Hashable {
        let merchantID: MerchantID
        let key: IdempotencyKey
        let route: ReplyRoute

        func isSame(as other: Row) -> Bool {
            merchantID == other.merchantID && key == other.key && route.addressDigest == other.route.addressDigest
        }
    }

    private(set) var rows: [Row] = []

    mutating func add(_ row: Row) {
        if !rows.contains(where: row.isSame) { rows.append(row) }
    }

    mutating func remove(_ row: Row) { rows.removeAll(where: row.isSame) }
}

extension AwaitedTable.Row {
    init(_ command: Command) {
        self.init(merchantID: command.merchantID, key: command.idempotencyKey, route: command.route)
    }

    init(_ operation: Operation) {
        self.init(merchantID: operation.merchantID, key: operation.idempotencyKey, route: operation.route)
    }

    init?(_ deadLetter: DeadLetter) {
        guard let merchant = deadLetter.command.merchantID, let key = deadLetter.command.idempotencyKey else {
            return nil
        }
        self.init(merchantID: merchant, key: key, route: deadLetter.replyRoute)
    }
}

extension StoreTables {
    /// Puts the replies whose operation has ended into the outbox.
    mutating func enqueueAwaited(at now: Timestamp) {
        for row in awaited.rows {
            guard let operation = operation(row.merchantID, row.key), operation.state.isFinal else { continue }
            outbox.append([OutboxMessage(final: operation, by: row.route)], at: now)
            awaited.remove(row)
        }
    }
}
