import CoreMetrics
import Synchronization

/// Counters of one name whose labels come from outside, such as the bank's codes: as many as there may be, and one for the rest.
final class BoundedCounters: Sendable {
    static let rest = "other"

    private let limit: Int
    private let make: @Sendable (_ known: [String], _ label: String) -> Counter
    private struct State {
        var labels: Set<String> = []
        var counters: [[String]: Counter] = [:]
    }
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: values of the label that comes from outside.
    ///   - make: of the values that are bounded by themselves and of that one.
    init(limit: Int, make: @escaping @Sendable (_ known: [String], _ label: String) -> Counter) {
        self.limit = limit
        self.make = make
    }

    func increment(_ known: [String], _ label: String) {
        state.withLock { state in
            var label = label
            if !state.labels.contains(label) {
                if Self.isCode(label), state.labels.count < limit {
                    state.labels.insert(label)
                } else {
                    label = Self.rest
                }
            }
            let key = known + [label]
            if let counter = state.counters[key] { return counter.increment() }
            let counter = make(known, label)
            state.counters[key] = counter
            counter.increment()
        }
    }

    /// No text, id or number of somebody's.
    private static func isCode(_ text: String) -> Bool {
        (1...48).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "_")
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
            }
            && text.utf8.count(where: { $0 < UInt8(ascii: "a") && $0 != UInt8(ascii: "_") }) <= 4
    }
}
