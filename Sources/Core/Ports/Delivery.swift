/// A message that the broker has handed over and keeps until it is acknowledged: the outbox of its command.
package protocol Delivery: Sendable {
    var message: Message { get }

    /// Only after the outcome is stored and its reply confirmed (docs/correctness.md#order-of-steps). On a connection
    /// that is gone it does nothing: the broker delivers again.
    func acknowledge() async

    /// Has the broker itself dead-letter it, as it is: for what the processor cannot publish. On a connection that is gone it does
    /// nothing: the broker delivers again.
    func reject() async
}
