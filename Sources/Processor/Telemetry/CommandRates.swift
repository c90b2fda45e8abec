import Core
import Synchronization

/// How many commands ended how within the last hour, in this process: the memory that a counter does not have.
final class CommandRates: Sendable {
    private struct Slot {
        var number: Int64 = -1
        var counts: [CommandOutcome: Int] = [:]
    }

    private let start: ContinuousClock.Instant
    private let now: @Sendable () -> ContinuousClock.Instant
    private let slots = Mutex([Slot](repeating: Slot(), count: CommandRates.slotsPerHour))
    private let totals = Mutex<[CommandOutcome: Int]>([:])

    private static let seconds: Int64 = 10
    private static let slotsPerHour = 360
    static let minutes = 60

    init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.now = now
        start = now()
    }

    func note(_ outcome: CommandOutcome) {
        let number = current
        slots.withLock { slots in
            let place = Int(number % Int64(Self.slotsPerHour))
            if slots[place].number != number { slots[place] = Slot(number: number) }
            slots[place].counts[outcome, default: 0] += 1
        }
        totals.withLock { $0[outcome, default: 0] += 1 }
    }

    /// All that was counted.
    var sinceStart: [CommandOutcome: Int] { totals.withLock { $0 } }

    /// The last sixty minutes, oldest first; the last one is not over.
    func lastHour() -> [[CommandOutcome: Int]] {
        let number = current
        let perMinute = 60 / Self.seconds
        return slots.withLock { slots in
            var minutes = [[CommandOutcome: Int]](repeating: [:], count: Self.minutes)
            for slot in slots where slot.number >= 0 {
                let age = Int(number / perMinute - slot.number / perMinute)
                guard (0..<Self.minutes).contains(age) else { continue }
                minutes[Self.minutes - 1 - age].merge(slot.counts, uniquingKeysWith: +)
            }
            return minutes
        }
    }

    /// Commands a second, over the last thirty seconds that are over, or as long as there has been anybody to count.
    func perSecond() -> Double {
        let number = current
        let complete = max(min(number, 3), 0)
        guard complete > 0 else { return 0 }
        let count = slots.withLock { slots in
            slots.filter { (number - complete..<number).contains($0.number) }
                .reduce(0) { $0 + $1.counts.values.reduce(0, +) }
        }
        return Double(count) / Double(complete * Self.seconds)
    }

    /// How long there has been anybody to count.
    var age: Duration { now() - start }

    private var current: Int64 { (now() - start).components.seconds / Self.seconds }
}

/// How a delivery of a command ended, as the label `outcome`: as many values as there are cases.
enum CommandOutcome: String, CaseIterable, Sendable {
    case succeeded, declined, rejected, unknown, replayed
    case deferred = "parked"
    case deadLettered = "dead_lettered"

    init(_ disposition: Disposition) {
        switch disposition {
        case .reply(_, .succeeded, _): self = .succeeded
        case .reply(_, .declined, _): self = .declined
        case .reply(_, .rejected, _): self = .rejected
        case .reply(_, .unknown, _): self = .unknown
        case .reply(_, .replayed, _): self = .replayed
        case .deferred, .requeue: self = .deferred
        case .deadLetter: self = .deadLettered
        }
    }
}

extension Disposition {
    /// The code of the error in the reply: of what was declined, rejected, or is not known yet.
    var errorCode: String? {
        switch self {
        case .reply(let reply, .declined, _), .reply(let reply, .rejected, _), .reply(let reply, .unknown, _):
            (try? JSONParser.parse(reply.message.body))?["error"]?["code"]?.string
        case .deadLetter(let code, _, _, _, _): code
        case .reply, .deferred, .requeue: nil
        }
    }

    /// Why it comes again later: of what is deferred.
    var deferral: String? {
        switch self {
        case .deferred(_, let reason, _, _): reason
        case .requeue: "overtook"
        case .reply, .deadLetter: nil
        }
    }
}
