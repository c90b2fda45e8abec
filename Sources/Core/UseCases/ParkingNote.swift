/// What our own headers on a deferred copy tell about its travels. Whatever a client writes into them does no harm.
package struct ParkingNote: Hashable, Sendable {
    /// Since when it has been waiting for another command of its payment, if it has.
    package let waitingSince: Timestamp?
    /// Its wait for an authorize that the store does not know of, where it may count.
    package let search: AuthorizeWait?
    /// Whether the store could not give it a place among those that wait. Not written: for whoever publishes it.
    let isUnplaced: Bool
    /// How often it was deferred because its outcome was not known.
    package let parks: Int
    /// Whether it had expired before anybody looked at it: nothing new is begun for it.
    package let hasExpired: Bool

    package init(
        waitingSince: Timestamp? = nil,
        search: AuthorizeWait? = nil,
        parks: Int = 0,
        hasExpired: Bool = false,
        isUnplaced: Bool = false
    ) {
        self.waitingSince = waitingSince
        self.search = search
        self.isUnplaced = isUnplaced
        self.parks = parks
        self.hasExpired = hasExpired
    }

    package init(_ message: Message) {
        waitingSince = message.headers[HeaderName.waitingSince]?.integer.map(Timestamp.init(microseconds:))
        search = message.headers[HeaderName.authorizeSearch]?.string.flatMap(AuthorizeWait.init)
        isUnplaced = false
        parks = message.headers[HeaderName.parks]?.integer.map { Int(min(max($0, 0), 1_000_000)) } ?? 0
        hasExpired = message.headers[HeaderName.expiredUnseen] == .bool(true)
    }

    /// Of a copy that is deferred once more, because its outcome is not known or the store refuses it.
    var parkedAgain: ParkingNote { ParkingNote(parks: parks + 1, hasExpired: hasExpired) }

    /// Of a copy that waits for others of its payment.
    ///
    /// - Parameter search: of one that waits for its authorize.
    func waiting(since: Timestamp, _ search: AuthorizeWait? = nil) -> ParkingNote {
        ParkingNote(waitingSince: since, search: search, parks: parks, hasExpired: hasExpired)
    }

    /// Of a copy that the store knows nothing of.
    var unplaced: ParkingNote {
        ParkingNote(
            waitingSince: waitingSince,
            search: search,
            parks: parks,
            hasExpired: hasExpired,
            isUnplaced: true
        )
    }

    /// Of a copy that an outage defers: the time that it lasts is no time of waiting for others.
    var deferredByOutage: ParkingNote { ParkingNote(parks: parks, hasExpired: hasExpired) }

    /// Of a copy of a command that the broker gave up as expired.
    var expired: ParkingNote { ParkingNote(waitingSince: waitingSince, parks: parks, hasExpired: true) }

    /// Replaces the headers that a copy has from before.
    func write(to message: inout Message) {
        message.headers[HeaderName.waitingSince] = waitingSince.map { .integer($0.microseconds) }
        message.headers[HeaderName.authorizeSearch] = search.map { .string($0.text) }
        message.headers[HeaderName.parks] = parks > 0 ? .integer(Int64(parks)) : nil
        message.headers[HeaderName.expiredUnseen] = hasExpired ? .bool(true) : nil
    }
}
