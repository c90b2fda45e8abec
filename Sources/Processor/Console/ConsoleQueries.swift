import Core

/// What only the console asks of the store, beside what the admin API asks.
protocol ConsoleQueries: Sendable {
    /// Operations in `NEEDS_ATTENTION`, the longest waiting first. Each has a dead letter: found by those that are not replayed.
    ///
    /// - Parameter place: where the page before this one ended.
    func reviews(
        of payment: PaymentID?,
        after place: ReviewPlace?,
        limit: Int
    ) async throws(StoreError) -> [PendingReview]

    /// Dead letters by code and message, the largest groups first.
    func groups(_ filter: DeadLetterFilter, limit: Int) async throws(StoreError) -> [DeadLetterGroup]

    /// What of a payment is not in its history: commands that wait without an operation, and when who was notified.
    func trace(of payment: PaymentID) async throws(StoreError) -> PaymentTrace

    /// Actions on dead letters, newest first.
    func audit(before place: AuditPlace?, limit: Int) async throws(StoreError) -> [AuditLine]

    /// The name of the newest migration in the database.
    func schema() async throws(StoreError) -> String?
}

/// An operation that needs manual review.
struct PendingReview: Hashable, Sendable {
    let payment: Payment
    let kind: OperationKind
    let merchantID: MerchantID
    let idempotencyKey: IdempotencyKey
    let lastError: String?
    let deadLetter: DeadLetterID
    let deadLetterState: DeadLetterState
    /// Of its dead letter.
    let since: Timestamp
}

extension PendingReview {
    var place: ReviewPlace { ReviewPlace(at: since, id: deadLetter) }
}

/// Where a page of the review queue ended.
struct ReviewPlace: Hashable, Sendable {
    let at: Timestamp
    let id: DeadLetterID

    init(at: Timestamp, id: DeadLetterID) {
        self.at = at
        self.id = id
    }

    init?(_ text: String) {
        guard let cursor = DeadLetterCursor(text) else { return nil }
        self.init(at: cursor.at, id: cursor.id)
    }

    var description: String { PageCursor(at: at, id: PaymentID(id.value)).description }
}

/// Dead letters with the same cause.
struct DeadLetterGroup: Hashable, Sendable {
    let code: String
    let message: String
    let count: Int
    let oldest: Timestamp
    let newest: Timestamp
}

struct PaymentTrace: Hashable, Sendable {
    /// On a retry tier, without an operation of its own yet.
    struct Waiting: Hashable, Sendable {
        let kind: OperationKind
        let idempotencyKey: String
        let messageID: String
        let since: Timestamp
        /// Where it was put when it was last seen.
        let tier: RetryTier
    }

    /// When the steps of an operation were that its state does not tell.
    struct Steps: Hashable, Sendable {
        let operation: OperationID
        let completedAt: Timestamp?
        let notifiedAt: Timestamp?
        let undeliverableAt: Timestamp?
    }

    var waiting: [Waiting] = []
    var steps: [Steps] = []
    /// In the outbox, by destination.
    var outbox: [String: Int] = [:]
}

/// One row of the audit of dead letters.
struct AuditLine: Hashable, Sendable {
    let entry: DeadLetterAuditEntry
    let deadLetter: DeadLetterID
    let position: Int
    let code: String
    /// Of the dead letter.
    let payment: PaymentID?

    var place: AuditPlace { AuditPlace(at: entry.at, id: deadLetter, position: position) }
}

/// Where a page of the audit ended.
struct AuditPlace: Hashable, Sendable {
    let at: Timestamp
    let id: DeadLetterID
    let position: Int

    init(at: Timestamp, id: DeadLetterID, position: Int) {
        self.at = at
        self.id = id
        self.position = position
    }

    init?(_ text: String) {
        guard let end = text.lastIndex(of: "."), let cursor = DeadLetterCursor(String(text[..<end])),
            let position = Int32(text[text.index(after: end)...])
        else { return nil }
        self.init(at: cursor.at, id: cursor.id, position: Int(position))
    }

    var description: String { "\(PageCursor(at: at, id: PaymentID(id.value))).\(position)" }

    /// Of a request for a page; `nil` for the first one.
    static func checked(_ text: String?) throws(InvalidField) -> AuditPlace? {
        guard let text else { return nil }
        guard let place = AuditPlace(text) else { throw InvalidField("cursor", "is not of an earlier page") }
        return place
    }
}
