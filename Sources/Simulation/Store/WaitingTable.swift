import Core

/// The commands that wait, in the order of their arrival.
struct WaitingTable {
    private struct Row {
        let command: WaitingCommand
        var seenAt: Timestamp
    }

    private var rows: [PaymentID: [Row]] = [:]
    private var lastPosition: Int64 = 0

    func line(of payment: PaymentID) -> [WaitingCommand] { (rows[payment] ?? []).map(\.command) }

    /// All of them, for whoever judges.
    var all: [PaymentID: [WaitingCommand]] { rows.mapValues { $0.map(\.command) } }

    mutating func apply(_ registration: ClaimDecision.Registration, _ command: Command, at now: Timestamp) {
        switch registration {
        case .add: add(command, at: now)
        case .remove: change(command.paymentID) { rows in rows.removeAll { $0.command.isOf(command) } }
        case .removeAllCopies: change(command.paymentID) { rows in rows.removeAll { $0.command.hasKey(of: command) } }
        case .unchanged: see(command, at: now)
        }
    }

    mutating func add(_ command: Command, at now: Timestamp) {
        if see(command, at: now) { return }
        lastPosition += 1
        let waiting = WaitingCommand(command, position: lastPosition)
        rows[command.paymentID, default: []].append(Row(command: waiting, seenAt: now))
    }

    func line(before command: Command) -> LineMark? {
        LineMark(places(before: command).map { ($0.command.position, $0.seenAt) })
    }

    mutating func withdraw(_ command: Command, behind line: LineMark?) {
        let lost = line != nil && self.line(before: command) == line ? places(before: command) : []
        let positions = Set(lost.map(\.command.position))
        change(command.paymentID) { rows in
            rows.removeAll { $0.command.isOf(command) || positions.contains($0.command.position) }
        }
    }

    private func places(before command: Command) -> [Row] {
        let own = (rows[command.paymentID] ?? []).filter { $0.command.merchantID == command.merchantID }
        let place = own.filter { $0.command.hasKey(of: command) }.map(\.command.position).min() ?? .max
        return own.filter { $0.command.position < place }
    }

    /// - Returns: how many rows went.
    mutating func remove(seenBefore limit: Timestamp, most: Int) -> Int {
        var left = most
        for payment in rows.keys.sorted() where left > 0 {
            change(payment) { rows in
                let old = rows.count { $0.seenAt < limit }
                left -= old
                rows.removeAll { $0.seenAt < limit }
            }
        }
        return most - left
    }

    @discardableResult
    private mutating func see(_ command: Command, at now: Timestamp) -> Bool {
        guard let index = rows[command.paymentID]?.firstIndex(where: { $0.command.isOf(command) }) else { return false }
        rows[command.paymentID]?[index].seenAt = now
        return true
    }

    private mutating func change(_ payment: PaymentID, _ body: (inout [Row]) -> Void) {
        guard var own = rows[payment] else { return }
        body(&own)
        rows[payment] = own.isEmpty ? nil : own
    }
}

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
