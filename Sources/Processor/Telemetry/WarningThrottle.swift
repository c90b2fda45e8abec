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
