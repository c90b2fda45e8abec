import Synchronization

/// What others may know of a connection without being on its thread.
final class ConnectionStatus: Sendable {
    private let isOpen = Atomic<Bool>(true)
    private let onLoss: @Sendable (PostgresError) -> Void

    init(onLoss: @escaping @Sendable (PostgresError) -> Void) {
        self.onLoss = onLoss
    }

    var isUsable: Bool { isOpen.load(ordering: .acquiring) }

    /// Tells the owner, the first time only, and never after `close`.
    func lose(_ error: PostgresError) {
        if isOpen.exchange(false, ordering: .acquiringAndReleasing) { onLoss(error) }
    }

    func close() {
        isOpen.store(false, ordering: .releasing)
    }
}
