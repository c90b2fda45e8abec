/// Names a dead letter. Ours, a UUIDv7.
package struct DeadLetterID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let value: UniqueID

    package init(_ value: UniqueID) {
        self.value = value
    }

    package init?(_ text: String) {
        guard let value = UniqueID(text) else { return nil }
        self.value = value
    }

    package var description: String { value.description }

    package static func < (left: DeadLetterID, right: DeadLetterID) -> Bool { left.value < right.value }
}
