import Core

/// That the broker has what there was to report of an operation's end.
struct NotificationRecord: Sendable {
    let operation: Operation
    /// No queue took its final reply (docs/correctness.md#reply-queue-gone).
    let isUndeliverable: Bool
    /// Those that the broker has not taken.
    var events: [PaymentEvent] = []
}
