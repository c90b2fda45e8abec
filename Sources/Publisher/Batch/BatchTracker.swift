import Core
import PaymentCommands

/// What is known of every command of a batch. Pure: the time is handed in.
struct BatchTracker {
    private enum Standing: UInt8 {
        case waiting, sent, unknown, completed
    }

    /// What a reply meant.
    enum Effect: Equatable {
        /// A second reply, or one to something else.
        case none
        /// The first that is not final: the command is on its own now.
        case provisional
        /// The final one.
        case final
    }

    /// How often a code has been the answer, and to which command first.
    struct CodeCount: Equatable {
        var count = 0
        let firstIndex: Int
    }

    /// More different codes than this are not told apart: the bank can make them up.
    private static let maximumCodes = 50

    private var standings: [Standing]
    private var sentAt: [ContinuousClock.Instant?]
    /// In microseconds, of the final replies.
    private var latencies: [UInt32] = []
    private(set) var outcomes: [Reply.Outcome: Int] = [:]
    private(set) var codes: [Reply.Outcome: [String: CodeCount]] = [:]
    private(set) var sent = 0
    /// Sent, and without a final reply.
    private(set) var open = 0
    /// Of these, those that have had an `unknown` one.
    private(set) var unknown = 0
    private(set) var lastActivity: ContinuousClock.Instant

    init(count: Int, now: ContinuousClock.Instant) {
        standings = Array(repeating: .waiting, count: count)
        sentAt = Array(repeating: nil, count: count)
        latencies.reserveCapacity(count)
        lastActivity = now
    }

    var count: Int { standings.count }
    var completed: Int { sent - open }
    var isComplete: Bool { completed == count }

    /// It has no final reply.
    func isOpen(_ index: Int) -> Bool { standings[index] != .completed }

    /// It is handed to the broker, for the first time or once more.
    ///
    /// - Returns: whether for the first time.
    mutating func sending(_ index: Int, now: ContinuousClock.Instant) -> Bool {
        guard standings[index] == .waiting else { return false }
        standings[index] = .sent
        sentAt[index] = now
        sent += 1
        open += 1
        return true
    }

    /// It was never handed to the broker.
    mutating func notSent(_ index: Int) {
        guard standings[index] == .sent else { return }
        standings[index] = .waiting
        sent -= 1
        open -= 1
    }

    mutating func received(_ reply: ReceivedReply, to index: Int, now: ContinuousClock.Instant) -> Effect {
        lastActivity = now
        guard standings.indices.contains(index) else { return .none }
        switch (standings[index], reply.isFinal) {
        case (.waiting, _), (.completed, _), (.unknown, false): return .none
        case (.sent, false):
            standings[index] = .unknown
            unknown += 1
            return .provisional
        case (.sent, true):
            complete(index, reply, now)
            return .final
        case (.unknown, true):
            unknown -= 1
            complete(index, reply, now)
            return .final
        }
    }

    private mutating func complete(_ index: Int, _ reply: ReceivedReply, _ now: ContinuousClock.Instant) {
        standings[index] = .completed
        open -= 1
        outcomes[reply.outcome, default: 0] += 1
        if let sentAt = sentAt[index] {
            latencies.append(UInt32(clamping: (now - sentAt).microseconds))
        }
        guard let code = reply.errorCode else { return }
        let known = codes[reply.outcome, default: [:]]
        let name = known[code] != nil || known.count < Self.maximumCodes ? code : "others"
        codes[reply.outcome, default: [:]][name, default: CodeCount(firstIndex: index)].count += 1
    }

    /// The time that this share of the commands took at most, from sending to the final reply; `nil` where none has one.
    func latency(share: Double) -> Duration? {
        guard !latencies.isEmpty else { return nil }
        let rank = Int((Double(latencies.count) * share).rounded(.up)) - 1
        return .microseconds(Int64(latencies.sorted()[min(max(rank, 0), latencies.count - 1)]))
    }

    /// The commands without a final reply, and whether the broker may have each.
    var unanswered: [(index: Int, isSent: Bool)] {
        standings.indices.lazy.filter { standings[$0] != .completed }.map { ($0, standings[$0] != .waiting) }
    }
}
