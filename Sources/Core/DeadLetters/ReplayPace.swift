/// How fast a replay goes, and when it gives up.
package struct ReplayPace: Hashable, Sendable {
    /// Dead letters, at most; `nil`: as fast as they are confirmed.
    package let perSecond: Int?
    /// The share of failures, 0 to 1, from which on it goes no further.
    package let failureShare: Double

    /// Fewer dead letters than this say nothing about a share.
    private static let sample = 5

    /// Where nothing else is asked for.
    package static let usualFailureShare = 0.2
    package static let rates = 1...100_000

    package init(perSecond: Int? = nil, failureShare: Double = usualFailureShare) {
        self.perSecond = perSecond
        self.failureShare = failureShare
    }

    /// Between the starts of two dead letters.
    var interval: Duration? { perSecond.map { .seconds(1) / $0 } }

    func stops(_ report: DeadLetterReport) -> Bool {
        let attempted = report.done + report.failed
        return attempted >= Self.sample && report.failed > 0
            && Double(report.failed) >= failureShare * Double(attempted)
    }
}
