/// What our own headers on a deferred copy tell about its travels. Whatever a client writes into them does no harm.
package struct RetryState: Hashable, Sendable {
    /// Since when it has been waiting for another command of its payment, if it has.
    package let waitingSince: Timestamp?
    /// How often it was deferred because its outcome was not known.
    package let deferrals: Int
    /// What waited before it when it was deferred last, where it waits for others.
    let line: LineMark?
    /// Whether it had expired before anybody handled it: nothing new is begun for it.
    package let hasExpired: Bool
    /// Since when it has been looked at again and again here, where it has: known to this delivery only.
    var heldSince: Timestamp?

    package init(
        waitingSince: Timestamp? = nil,
        deferrals: Int = 0,
        line: LineMark? = nil,
        hasExpired: Bool = false
    ) {
        self.waitingSince = waitingSince
        self.line = line
        self.deferrals = deferrals
        self.hasExpired = hasExpired
    }

    package init(_ message: Message) {
        waitingSince = message.headers[HeaderName.waitingSince]?.integer.map(Timestamp.init(microseconds:))
        deferrals = message.headers[HeaderName.deferrals]?.integer.map { Int(min(max($0, 0), 1_000_000)) } ?? 0
        line = message.headers[HeaderName.waitingLine]?.integer.map(LineMark.init(value:))
        hasExpired = message.headers[HeaderName.expiredUnseen] == .bool(true)
    }

    /// Of a copy that is deferred once more, because its outcome is not known or the store refuses it.
    var deferredAgain: RetryState { RetryState(deferrals: deferrals + 1, hasExpired: hasExpired) }

    /// Of a copy that waits for others of its payment.
    func waiting(since: Timestamp) -> RetryState {
        RetryState(waitingSince: since, deferrals: deferrals, hasExpired: hasExpired)
    }

    /// The same, with what waits before it.
    func waiting(behind line: LineMark?) -> RetryState {
        RetryState(waitingSince: waitingSince, deferrals: deferrals, line: line, hasExpired: hasExpired)
    }

    /// Of a copy that an outage defers: the time that it lasts is no time of waiting for others.
    var deferredByOutage: RetryState { RetryState(deferrals: deferrals, hasExpired: hasExpired) }

    /// Of a copy of a command that the broker gave up as expired.
    var expired: RetryState { RetryState(waitingSince: waitingSince, deferrals: deferrals, hasExpired: true) }

    /// Replaces the headers that a copy has from before.
    func write(to message: inout Message) {
        message.headers[HeaderName.waitingSince] = waitingSince.map { .integer($0.microseconds) }
        message.headers[HeaderName.waitingLine] = line.map { .integer($0.value) }
        message.headers[HeaderName.deferrals] = deferrals > 0 ? .integer(Int64(deferrals)) : nil
        message.headers[HeaderName.expiredUnseen] = hasExpired ? .bool(true) : nil
    }
}
