/// The last requests received, oldest first: a ring, so that a long benchmark costs no more than its capacity.
struct RequestLog: Sendable {
    private var records: [RequestRecord] = []
    private let capacity: Int
    /// The sequence number of the next request; the first is 1.
    private var nextSequence = 1

    /// - Parameter capacity: how many requests are remembered, at least one.
    init(capacity: Int = 200_000) {
        self.capacity = max(1, capacity)
    }

    /// Notes an arrival and gives it its sequence number.
    mutating func append(path: String, idempotencyKey: String?) -> Int {
        let record = RequestRecord(sequence: nextSequence, path: path, idempotencyKey: idempotencyKey)
        if records.count < capacity {
            records.append(record)
        } else {
            records[index(of: nextSequence)] = record
        }
        nextSequence += 1
        return record.sequence
    }

    /// Fills in what became of a request, if it is still remembered.
    mutating func update(_ sequence: Int, _ change: (inout RequestRecord) -> Void) {
        let index = index(of: sequence)
        guard records.indices.contains(index), records[index].sequence == sequence else { return }
        change(&records[index])
    }

    /// Every remembered request with a greater sequence number, in order.
    func records(after sequence: Int) -> [RequestRecord] {
        let oldest = nextSequence - records.count
        let first = max(oldest, sequence < nextSequence ? sequence + 1 : nextSequence)
        return (first..<nextSequence).map { records[index(of: $0)] }
    }

    private func index(of sequence: Int) -> Int {
        (sequence - 1) % capacity
    }
}
