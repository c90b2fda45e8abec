import Synchronization

/// Lets the commands of one payment through one after the other, in the order in which they arrived, and those of different
/// payments side by side.
///
/// A convenience, not a lock: across processes the row lock, the lease and the fence decide.
package final class Lanes: Sendable {
    private struct Lane {
        /// The tickets in order; the first one is inside.
        var tickets: [UInt64] = []
        var waiters: [UInt64: CheckedContinuation<Bool, Never>] = [:]
        var lastSettled: Settled?
    }

    /// What the last command of a lane settled: an identical one behind it gets the same answer without asking anybody
    /// (docs/correctness.md#same-key-in-progress).
    package struct Settled: Sendable {
        package let command: Command
        package let operation: Operation

        package init(command: Command, operation: Operation) {
            self.command = command
            self.operation = operation
        }
    }

    private struct State {
        var lanes: [PaymentID: Lane] = [:]
        var nextTicket: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// A place in the queue of a payment. Every ticket must be left, whether it was entered or not.
    package struct Ticket: Sendable {
        fileprivate let payment: PaymentID
        fileprivate let number: UInt64
    }

    /// Takes the next place. Synchronous, so that the order is the caller's.
    package func ticket(for payment: PaymentID) -> Ticket {
        state.withLock { state in
            state.nextTicket += 1
            state.lanes[payment, default: Lane()].tickets.append(state.nextTicket)
            return Ticket(payment: payment, number: state.nextTicket)
        }
    }

    /// Waits until all before it have left, and tells what the last of them settled.
    package func enter(_ ticket: Ticket) async throws(CancellationError) -> Settled? {
        let (isFirst, last) = state.withLock { state in
            let lane = state.lanes[ticket.payment]
            return (lane?.tickets.first == ticket.number, lane?.lastSettled)
        }
        // Most payments have one command at a time, which waits for nobody.
        if isFirst, !Task.isCancelled { return last }
        let mayEnter = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if Task.isCancelled { return false }
                    if state.lanes[ticket.payment]?.tickets.first == ticket.number { return true }
                    state.lanes[ticket.payment]?.waiters[ticket.number] = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            state.withLock { $0.lanes[ticket.payment]?.waiters.removeValue(forKey: ticket.number) }?
                .resume(returning: false)
        }
        guard mayEnter else { throw CancellationError() }
        return state.withLock { $0.lanes[ticket.payment]?.lastSettled }
    }

    /// Makes room for the next.
    ///
    /// - Parameters:
    ///   - ticket: the one that leaves.
    ///   - settled: what the command settled; `nil` keeps what was known before.
    package func leave(_ ticket: Ticket, settled: Settled? = nil) {
        let next: CheckedContinuation<Bool, Never>? = state.withLock { state in
            guard var lane = state.lanes[ticket.payment] else { return nil }
            lane.tickets.removeAll { $0 == ticket.number }
            lane.lastSettled = settled ?? lane.lastSettled
            let next = lane.tickets.first.flatMap { lane.waiters.removeValue(forKey: $0) }
            state.lanes[ticket.payment] = lane.tickets.isEmpty ? nil : lane
            return next
        }
        next?.resume(returning: true)
    }
}
