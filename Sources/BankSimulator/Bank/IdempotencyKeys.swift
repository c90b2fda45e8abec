/// The first successful answer under each key, per operation (each has its own path).
///
/// It locks nothing: until a key is stored, a second request under it is executed as well.
struct IdempotencyKeys: Sendable {
    /// Keys are forgotten after 24 hours on the simulator's clock.
    static let lifetime: Int64 = 24 * 60 * 60

    /// The longest key the bank's table holds, in characters; a longer one is accepted and never stored.
    static let maximumLength = 255

    private struct Slot: Hashable {
        let operation: BankOperation
        let key: String
    }

    private struct Entry {
        let answer: BankAnswer
        /// By the simulator's clock, which can be moved.
        let storedAt: Timestamp
    }

    private var entries: [Slot: Entry] = [:]

    /// Stores an answer, unless the key is too long or has an answer already (the first one stays).
    ///
    /// - Parameters:
    ///   - answer: a success.
    ///   - operation: what it answers; each has keys of its own.
    ///   - key: the one of the request.
    ///   - time: when the 24 hours start, by the simulator's clock.
    mutating func store(_ answer: BankAnswer, for operation: BankOperation, key: String, at time: Timestamp) {
        guard key.unicodeScalars.count <= Self.maximumLength else { return }
        let slot = Slot(operation: operation, key: key)
        if let entry = entries[slot], !Self.isForgotten(entry, at: time) { return }
        entries[slot] = Entry(answer: answer, storedAt: time)
    }

    /// The stored answer, if there is one that was not forgotten yet.
    func replay(_ operation: BankOperation, key: String, at time: Timestamp) -> BankAnswer? {
        guard let entry = entries[Slot(operation: operation, key: key)], !Self.isForgotten(entry, at: time) else {
            return nil
        }
        return entry.answer
    }

    private static func isForgotten(_ entry: Entry, at time: Timestamp) -> Bool {
        time >= entry.storedAt.adding(seconds: lifetime)
    }
}
