import Synchronization

/// Decides whether a command that has waited for its authorize may be told that there is none
/// (docs/correctness.md#unplaced-commands).
///
/// An authorize that found the store unavailable rests on a retry tier, and nothing in the store tells of it. So a wait counts only where
/// no such authorize can have been ahead of the waiting copy when it was sent:
///
/// - this process had deferred none for as long as one rests on its tier; and
/// - others had none there: either this subscription had been given the deliveries of its partition for as long as that, or the broker
///   says before the wait and after it that the tier is empty, and not enough time lies between the two for one to come and go.
///
/// A wait that does not count is repeated.
struct AuthorizeSearch: Sendable {
    private let tiers: any RetryTiers
    private let unplaced: UnplacedCommands
    private let time: any TimeSource

    init(_ context: ProcessorContext, tiers: any RetryTiers) {
        self.tiers = tiers
        unplaced = context.unplaced
        time = context.time
    }

    /// Where such an authorize rests, and how long at most.
    private static let tier = RetryTier.seconds30
    private static let rest = tier.delay + UnplacedCommands.slack

    /// To be called when the store does not know the authorize, before the copy that waits is published.
    ///
    /// - Returns: the wait that may count when the copy comes back; `nil` for one that will not.
    func begin(in subscription: Subscription) async -> AuthorizeWait? {
        let wait = AuthorizeWait(subscription: subscription.id, since: time.uptime())
        if unplaced.mayRest(at: wait.since) { return nil }
        if isAlone(subscription, since: wait.since) { return wait }
        return await tiers.isEmpty(Self.tier) ? wait : nil
    }

    /// Whether the copy that has come back has waited long enough.
    func counts(_ wait: AuthorizeWait?, in subscription: Subscription) async -> Bool {
        guard let wait, wait.subscription == subscription.id, !unplaced.mayRest(at: wait.since) else { return false }
        if isAlone(subscription, since: wait.since) { return true }
        guard await tiers.isEmpty(Self.tier) else { return false }
        return time.uptime() - wait.since < Self.tier.delay - UnplacedCommands.slack
    }

    /// Whether the next wait is one of the short tier: where it may count, for a long one outlasts the subscription that it must come back
    /// to; and where it may soon.
    static func isShort(_ wait: AuthorizeWait?, waited: Duration) -> Bool {
        wait != nil || waited < rest + UnplacedCommands.slack
    }

    /// Whether what others deferred of the partition had come back by then.
    private func isAlone(_ subscription: Subscription, since: Duration) -> Bool {
        since - subscription.since >= Self.rest
    }
}

/// Since when one consumer of a queue has been given deliveries, during which no other process has been.
struct Subscription: Sendable {
    let id: String
    /// The uptime of its first delivery.
    let since: Duration
}

/// When a copy that waits for its authorize was sent, by the clock and in the words of the subscription that sent it; for its header.
package struct AuthorizeWait: Hashable, Sendable {
    let subscription: String
    /// Uptime of the process.
    let since: Duration

    init(subscription: String, since: Duration) {
        self.subscription = subscription
        self.since = since
    }

    /// `nil` for what is no such text.
    init?(_ text: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, let microseconds = Int64(parts[1]) else { return nil }
        self.init(subscription: String(parts[0]), since: .microseconds(microseconds))
    }

    var text: String { "\(subscription) \(since.microseconds)" }
}

/// Until when commands that this process deferred, and the store could not give a place, may rest on their retry tiers.
final class UnplacedCommands: Sendable {
    private let end = Mutex(Duration.zero)

    /// Between the end of a rest and the arrival in the command queue.
    static let slack = Duration.seconds(5)

    /// To be called when it is decided, and again when the broker has the copy.
    ///
    /// - Parameter now: uptime.
    func note(on tier: RetryTier, at now: Duration) {
        end.withLock { $0 = max($0, now + tier.delay + Self.slack) }
    }

    func mayRest(at uptime: Duration) -> Bool {
        end.withLock { uptime < $0 }
    }
}
