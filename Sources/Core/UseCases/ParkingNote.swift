/// What our own headers on a parked copy tell about its travels. Whatever a client writes into them does no harm.
package struct ParkingNote: Hashable, Sendable {
    /// Since when it has been waiting for another command of its payment, if it has.
    package let waitingSince: Timestamp?
    /// How often it was parked because its outcome was not known.
    package let parks: Int

    package init(waitingSince: Timestamp? = nil, parks: Int = 0) {
        self.waitingSince = waitingSince
        self.parks = parks
    }

    package init(_ message: Message) {
        waitingSince = message.headers[HeaderName.waitingSince]?.integer.map(Timestamp.init(microseconds:))
        parks = message.headers[HeaderName.parks]?.integer.map { Int(min(max($0, 0), 1_000_000)) } ?? 0
    }

    /// The header of a copy that is parked once more.
    var parkedAgain: [String: HeaderValue] { [HeaderName.parks: .integer(Int64(parks + 1))] }
}
