/// Where a page of dead letters ended. Its text form is opaque to clients.
package struct DeadLetterCursor: Hashable, Sendable, LosslessStringConvertible {
    package let at: Timestamp
    package let id: DeadLetterID

    package init(_ deadLetter: DeadLetter) {
        at = deadLetter.failure.at
        id = deadLetter.id
    }

    package init?(_ description: String) {
        // The same form as that of a list of payments.
        guard let place = PageCursor(description) else { return nil }
        at = place.at
        id = DeadLetterID(place.id.value)
    }

    package var description: String { PageCursor(at: at, id: PaymentID(id.value)).description }
}

/// A page of dead letters, newest first.
package struct DeadLetterPage: Hashable, Sendable {
    package let deadLetters: [DeadLetter]
    /// `nil` on the last page.
    package let next: DeadLetterCursor?
}

extension DeadLetterQueries {
    /// - Parameter limit: at most so many.
    package func page(_ filter: DeadLetterFilter, limit: Int) async throws(StoreError) -> DeadLetterPage {
        // One more tells whether there is another page.
        let found = try await deadLetters(filter, limit: limit + 1)
        let deadLetters = Array(found.prefix(limit))
        return DeadLetterPage(
            deadLetters: deadLetters,
            next: found.count > limit ? deadLetters.last.map(DeadLetterCursor.init) : nil
        )
    }
}
