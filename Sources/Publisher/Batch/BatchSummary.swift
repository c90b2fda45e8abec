import Core

/// How a batch went.
struct BatchSummary: Equatable {
    let sent: Int
    let succeeded: Int
    let declined: Int
    let rejected: Int
    /// Sent, with an `unknown` reply and no final one.
    let unknown: Int
    /// Sent, without any reply.
    let noReply: Int
    let notSent: Int
    let elapsed: Duration
    let median: Duration?
    let percentile99: Duration?

    init(_ tracker: BatchTracker, elapsed: Duration) {
        sent = tracker.sent
        succeeded = tracker.outcomes[.succeeded, default: 0]
        declined = tracker.outcomes[.declined, default: 0]
        rejected = tracker.outcomes[.rejected, default: 0]
        unknown = tracker.unknown + tracker.outcomes[.unknown, default: 0]
        noReply = tracker.open - tracker.unknown
        notSent = tracker.count - tracker.sent
        self.elapsed = elapsed
        median = tracker.latency(share: 0.5)
        percentile99 = tracker.latency(share: 0.99)
    }

    /// The largest that applies (docs/contract.md#exit-codes).
    var status: PublisherStatus {
        if unknown > 0 || noReply > 0 || notSent > 0 { return .unknown }
        if rejected > 0 { return .rejected }
        return declined > 0 ? .declined : .succeeded
    }

    /// `{"summary":{…}}`, compact, names sorted.
    var json: String {
        let members: [String: JSONValue] = [
            "declined": .integer(declined), "no_reply": .integer(noReply), "rejected": .integer(rejected),
            "seconds": .number(seconds(elapsed)), "sent": .integer(sent), "succeeded": .integer(succeeded),
            "unknown": .integer(unknown),
        ]
        return String(decoding: JSONValue.object(["summary": .object(members)]).encoded, as: UTF8.self)
    }

    /// With milliseconds: `12.345`.
    func seconds(_ duration: Duration) -> String {
        let milliseconds = max(duration.microseconds / 1_000, 0)
        let fraction = String(milliseconds % 1_000)
        return "\(milliseconds / 1_000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
    }
}
