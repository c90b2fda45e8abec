import Core

/// The rows of the outbox.
struct OutboxTable {
    struct Row {
        let id: OutboxID
        let content: OutboxMessage
        let createdAt: Timestamp
        var dueAt: Timestamp
        var attempts = 0
        var sentAt: Timestamp?
    }

    private(set) var rows: [Row] = []
    private var lastID: Int64 = 0

    mutating func append(_ messages: [OutboxMessage], at now: Timestamp) {
        for content in messages {
            lastID += 1
            rows.append(Row(id: OutboxID(lastID), content: content, createdAt: now, dueAt: now))
        }
    }

    var unsent: [Row] { rows.filter { $0.sentAt == nil } }

    /// The oldest of each payment and kind of destination, where it is due.
    mutating func take(limit: Int, hold: Duration, now: Timestamp) -> [OutboxEntry] {
        var seen: Set<Lane> = []
        var entries: [OutboxEntry] = []
        for index in rows.indices where rows[index].sentAt == nil && entries.count < limit {
            let row = rows[index]
            guard seen.insert(Lane(row.content)).inserted, row.dueAt <= now else { continue }
            entries.append(OutboxEntry(id: row.id, content: row.content, attempts: row.attempts))
            rows[index].dueAt = now.advanced(by: hold)
            rows[index].attempts += 1
        }
        return entries
    }

    mutating func note(_ ending: OutboxEnding, at now: Timestamp) {
        guard let index = rows.firstIndex(where: { $0.id == ending.entry.id }),
            rows[index].content.isSame(as: ending.entry.content)
        else { return }
        switch ending.outcome {
        case .sent, .undeliverable: rows[index].sentAt = now
        case .postponed(let pause): rows[index].dueAt = now.advanced(by: pause)
        }
    }

    /// - Returns: how many rows went.
    mutating func remove(sentBefore limit: Timestamp, most: Int) -> Int {
        let old = rows.filter { $0.sentAt.map { $0 < limit } ?? false }.prefix(most).map(\.id)
        rows.removeAll { old.contains($0.id) }
        return old.count
    }

    private struct Lane: Hashable {
        let payment: PaymentID
        let role: InMemoryBroker.Role
        /// Replies to one queue are in order; those to another do not wait for it.
        let queue: String?

        init(_ content: OutboxMessage) {
            payment = content.paymentID
            role = content.destination.role
            queue = if case .replies(let queue) = content.destination { queue } else { nil }
        }
    }
}
