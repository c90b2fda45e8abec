import Core
import Synchronization

/// Keeps a failure that comes a thousand times a second from filling the log: the first one is reported at once, the
/// others as one summary for each period.
final class WarningThrottle: Sendable {
    /// What to tell now.
    enum Report: Equatable, Sendable {
        case first
        /// So many more since the last report.
        case repeated(Int)
    }

    private let period: Duration
    private let time: any TimeSource
    /// The failures not reported yet, for each kind whose period is running.
    private let suppressed = Mutex<[String: Int]>([:])

    init(time: any TimeSource, period: Duration = .seconds(10)) {
        self.time = time
        self.period = period
    }

    /// - Parameters:
    ///   - kind: from a small set: each kind is counted by itself.
    ///   - report: called at once for the first, and at the end of each period in which there were more.
    func occurred(_ kind: String, report: @escaping @Sendable (Report) -> Void) {
        let isFirst = suppressed.withLock { suppressed in
            guard let count = suppressed[kind] else {
                suppressed[kind] = 0
                return true
            }
            suppressed[kind] = count + 1
            return false
        }
        guard isFirst else { return }
        report(.first)
        Task { await watch(kind, report) }
    }

    /// Until a whole period has passed without another.
    private func watch(_ kind: String, _ report: @Sendable (Report) -> Void) async {
        var isRunning = true
        while isRunning {
            do throws(CancellationError) {
                try await time.sleep(for: period)
            } catch {
                isRunning = false
            }
            let count = suppressed.withLock { suppressed in
                let count = suppressed[kind] ?? 0
                suppressed[kind] = isRunning && count > 0 ? 0 : nil
                return count
            }
            if count > 0 { report(.repeated(count)) } else { isRunning = false }
        }
    }
}

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
