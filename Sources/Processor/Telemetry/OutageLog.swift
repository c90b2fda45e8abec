import Core
import Synchronization

/// What is unavailable, and since when, so that the log says it once, and once more when it is back.
final class OutageLog: Sendable {
    private let time: any TimeSource
    private struct Outage {
        let since: Duration
        var causes: Set<String>
    }

    /// A cause more than these is not reported: some texts hold a number that is another one each time.
    private static let causes = 5

    private let outages = Mutex<[String: Outage]>([:])

    init(time: any TimeSource = SystemTime()) {
        self.time = time
    }

    /// - Returns: whether it was available until now, as far as is known, or is not for another cause.
    func began(_ what: String, _ cause: String = "") -> Bool {
        let now = time.uptime()
        return outages.withLock { outages in
            guard let known = outages[what] else {
                outages[what] = Outage(since: now, causes: [cause])
                return true
            }
            guard known.causes.count < Self.causes else { return false }
            return outages[what]?.causes.insert(cause).inserted ?? false
        }
    }

    func isOn(_ what: String) -> Bool { outages.withLock { $0[what] != nil } }

    /// - Returns: for how long it was unavailable; `nil` where it was not.
    func ended(_ what: String) -> Duration? {
        let now = time.uptime()
        return outages.withLock { $0.removeValue(forKey: what).map { now - $0.since } }
    }
}

extension Duration {
    /// `4s`, `2m 5s`, `3h 0m`.
    var inWords: String {
        let seconds = components.seconds
        if seconds < 60 { return "\(seconds)s" }
        return seconds < 3_600 ? "\(seconds / 60)m \(seconds % 60)s" : "\(seconds / 3_600)h \(seconds % 3_600 / 60)m"
    }
}
