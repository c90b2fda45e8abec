/// The client's key: 1–255 characters without control characters, unique per merchant over all operations
/// (docs/contract.md#commands).
package struct IdempotencyKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let description: String

    package init?(_ text: String) {
        guard TextRule.holds(text, length: 1...255) else { return nil }
        description = text
    }

    /// - Parameter text: read back from the store, which only holds what passed the check on its way in.
    package init(verified text: String) {
        description = text
    }

    /// Byte by byte, as the database compares: two keys that Unicode calls equivalent are two keys.
    package static func == (left: IdempotencyKey, right: IdempotencyKey) -> Bool {
        left.description.utf8.elementsEqual(right.description.utf8)
    }

    package static func < (left: IdempotencyKey, right: IdempotencyKey) -> Bool {
        left.description.utf8.lexicographicallyPrecedes(right.description.utf8)
    }
}
