/// The retry tiers: one queue each, because a per-message TTL blocks behind the head of a queue.
package enum RetryTier: String, Sendable, CaseIterable {
    case seconds5 = "5s"
    case seconds30 = "30s"
    case minutes2 = "2m"
    case minutes10 = "10m"
    case hour1 = "1h"

    package var delay: Duration {
        switch self {
        case .seconds5: .seconds(5)
        case .seconds30: .seconds(30)
        case .minutes2: .seconds(120)
        case .minutes10: .seconds(600)
        case .hour1: .seconds(3_600)
        }
    }

    /// The next shorter and the next longer tier, where there is one: for a copy whose own tier cannot be used.
    var neighbours: [RetryTier] {
        let tiers = Self.allCases
        let own = tiers.firstIndex(of: self) ?? 0
        return [own - 1, own + 1].filter(tiers.indices.contains).map { tiers[$0] }
    }
}
