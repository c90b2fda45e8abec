/// Which queues a command may name for its replies: `^replies\.[A-Za-z0-9._-]{1,80}$`, or one that the broker has named itself,
/// `^amq\.gen-[A-Za-z0-9_-]{22}$`. So never one of our own, and none of the pseudo-queues `amq.rabbitmq.…`, which close the
/// connection when they are malformed.
package enum ReplyAddress {
    package static let prefix = "replies."
    /// Of a queue that was declared without a name.
    private static let generatedPrefix = "amq.gen-"

    /// The address where it is allowed, else `nil`: the default reply queue.
    package static func allowed(_ address: String?) -> String? {
        guard let address else { return nil }
        return isNamed(address) || isGenerated(address) ? address : nil
    }

    private static func isNamed(_ address: String) -> Bool {
        guard address.hasPrefix(prefix) else { return false }
        let name = address.utf8.dropFirst(prefix.utf8.count)
        return (1...80).contains(name.count) && name.allSatisfy { isWord($0) || $0 == UInt8(ascii: ".") }
    }

    private static func isGenerated(_ address: String) -> Bool {
        guard address.hasPrefix(generatedPrefix) else { return false }
        let name = address.utf8.dropFirst(generatedPrefix.utf8.count)
        return name.count == 22 && name.allSatisfy(isWord)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
