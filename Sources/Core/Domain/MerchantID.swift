/// Who owns a payment: 1–64 characters of `[A-Za-z0-9._-]` (docs/contract.md#commands).
package struct MerchantID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Where a command names no merchant.
    package static let `default` = MerchantID(verified: "default")

    package let description: String

    package init?(_ text: String) {
        guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy(Self.isAllowed) else { return nil }
        description = text
    }

    /// - Parameter text: read back from the store, which only holds what passed the check on its way in.
    package init(verified text: String) {
        description = text
    }

    package static func < (left: MerchantID, right: MerchantID) -> Bool { left.description < right.description }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
