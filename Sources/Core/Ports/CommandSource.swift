/// A subscription to a command queue: what a reader needs of it to leave the queue to others in order
/// (docs/correctness.md#overtaking).
package protocol CommandSource: Sendable {
    associatedtype Deliveries: AsyncSequence where Deliveries.Element == any Delivery

    var deliveries: Deliveries { get }

    /// Whether the subscription must be ended and made anew: it has ended already, or something is delivered and unread that must go back to
    /// the broker, because it has expired there, or the broker limits how long it may be unacknowledged. Asked while nothing is read.
    var isStale: Bool { get }

    /// Ends the deliveries at once. What is not read yet, and what still comes, stays with the broker as unacknowledged.
    func stop()

    /// Ends the subscription. The broker puts back what is unacknowledged, in its order, before another consumer gets anything. Until
    /// then it gives nothing to others.
    func close() async
}
