/// Which queues a command may name for its replies: `^replies\.[A-Za-z0-9._-]{1,80}$` (docs/contract.md#commands), so
/// never one of our own and never `amq.…`, whose malformed pseudo-queues close the connection.
package enum ReplyAddress {
    package static let prefix = "replies."

    /// The address where it is allowed, else `nil`: the default reply queue.
    package static func allowed(_ address: String?) -> String? {
        guard let address, address.hasPrefix(prefix) else { return nil }
        let name = address.utf8.dropFirst(prefix.utf8.count)
        return (1...80).contains(name.count) && name.allSatisfy(isAllowed) ? address : nil
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
