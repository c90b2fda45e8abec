/// The client's key: 1–255 characters without control characters, unique per merchant over all operations (contract.md §2).
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

    package static func < (left: IdempotencyKey, right: IdempotencyKey) -> Bool { left.description < right.description }
}
