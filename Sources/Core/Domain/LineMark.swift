import Crypto

/// The commands that wait before another one of their payment, each as it was looked at last: two marks are equal where none of those
/// commands has been looked at in between, nor gone. It compares times and never orders them, so a clock that is set changes nothing.
package struct LineMark: Hashable, Sendable {
    package let value: Int64

    package init(value: Int64) {
        self.value = value
    }

    /// - Parameter places: their positions, and when each was seen last; `nil` where there are none.
    package init?(_ places: [(position: Int64, seenAt: Timestamp)]) {
        if places.isEmpty { return nil }
        var hash = SHA256()
        for place in places.sorted(by: { $0.position < $1.position }) {
            for number in [place.position, place.seenAt.microseconds] {
                withUnsafeBytes(of: number.littleEndian) { hash.update(bufferPointer: $0) }
            }
        }
        value = hash.finalize().prefix(8).reduce(0) { $0 << 8 | Int64($1) }
    }
}
