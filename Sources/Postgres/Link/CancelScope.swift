import Synchronization

/// One borrower's wish to be done: set by the cancellation of its task, seen by every statement it runs.
final class CancelScope: Sendable {
    private let requested = Atomic<Bool>(false)
    private let signal: CancelSignal

    init(signal: CancelSignal) {
        self.signal = signal
    }

    var isRequested: Bool { requested.load(ordering: .acquiring) }

    func request() {
        requested.store(true, ordering: .releasing)
        signal.wake()
    }
}
