/// Names a payment. Made by the publisher (docs/contract.md#commands), so that a client that lost every answer still
/// knows what to ask for.
package struct PaymentID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let value: UniqueID

    package init(_ value: UniqueID) {
        self.value = value
    }

    package init?(_ text: String) {
        guard let value = UniqueID(text) else { return nil }
        self.value = value
    }

    package var description: String { value.description }

    package static func < (left: PaymentID, right: PaymentID) -> Bool { left.value < right.value }
}

/// Names one operation on a payment. Ours, a UUIDv7.
package struct OperationID: Hashable, Sendable, CustomStringConvertible {
    package let value: UniqueID

    package init(_ value: UniqueID) {
        self.value = value
    }

    package var description: String { value.description }
}

/// Names one attempt to claim, so that a claim whose COMMIT was not answered can be recognised as our own
/// (docs/correctness.md#unknown-commit).
package struct ClaimToken: Hashable, Sendable {
    package let value: UniqueID

    package init(_ value: UniqueID) {
        self.value = value
    }
}
