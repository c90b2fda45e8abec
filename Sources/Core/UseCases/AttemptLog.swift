import Synchronization

/// The requests of one attempt that did not complete its operation, until they are written with its end. A request that completes it at
/// once is never noted here.
final class AttemptLog: Sendable {
    private struct Entry {
        let verdict: BankCallVerdict
        let status: Int?
        let code: String?
        /// The uptime.
        let at: Duration
    }

    private let entries = Mutex<[Entry]>([])

    /// Longer ones than the bank's own are cut.
    private static let longestCode = 64

    func note(_ verdict: Verdict, _ answer: BankAnswer, on action: BankAction, at uptime: Duration) {
        var (status, code): (Int?, String?) = (nil, verdict.reason)
        if case .response(let response) = answer.redacted(for: action) {
            status = response.status
            if case .json(let body) = response.body, let error = body["error"]?.string {
                code = CardDigits.masked(
                    String(String.UnicodeScalarView(error.unicodeScalars.prefix(Self.longestCode)))
                )
            }
        }
        let entry = Entry(verdict: BankCallVerdict(verdict), status: status, code: code, at: uptime)
        entries.withLock { $0.append(entry) }
    }

    /// - Parameter uptime: now.
    func attempts(at uptime: Duration) -> [UnfinishedAttempt] {
        entries.withLock { entries in
            entries.map {
                UnfinishedAttempt(verdict: $0.verdict, status: $0.status, code: $0.code, age: uptime - $0.at)
            }
        }
    }
}

extension Verdict {
    /// In a word of ours; `nil` where the bank's own word says it.
    fileprivate var reason: String? {
        switch self {
        case .succeeded, .keyUnknown: nil
        case .declined(let refusal, _), .expired(let refusal): refusal.code
        case .notSent(let reason), .notExecuted(let reason, _), .ambiguous(let reason, _), .needsAttention(let reason):
            reason
        }
    }

    /// Whether it completes its operation, as far as nothing else comes in between.
    var isCompleting: Bool {
        switch self {
        case .succeeded, .declined, .expired: true
        case .notSent, .notExecuted, .ambiguous, .keyUnknown, .needsAttention: false
        }
    }
}
