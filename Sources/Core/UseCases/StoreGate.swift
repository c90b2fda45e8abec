import Synchronization

/// Stands before the command queues: nothing is taken from them while the store is unavailable, and what was taken and has no place in
/// the store goes back to the broker, which keeps its order (docs/correctness.md#database-unavailable).
final class StoreGate: Sendable {
    private let isShut = Atomic(false)

    var isClosed: Bool { isShut.load(ordering: .acquiring) }

    /// - Returns: whether it was open.
    func close() -> Bool { !isShut.exchange(true, ordering: .acquiringAndReleasing) }

    func open() { isShut.store(false, ordering: .releasing) }
}

extension ProcessorContext {
    /// Writes to the store how the bank is, for the other processors.
    func shareBankStatus() async throws(StoreError) {
        let condition = breaker.condition
        try await bankStatus.recordBankStatus(
            isUnavailable: condition != .closed,
            cause: condition == .closed ? nil : breaker.cause
        )
    }

    /// Registers a command among those that wait.
    ///
    /// - Returns: false where the store is unavailable. One that refuses this very command and takes other writes is not: given back, it
    ///   would come again and again, and hold up all that is behind it.
    func keepsPlace(of command: Command) async -> Bool {
        do throws(StoreError) {
            try await store.register(command)
            return true
        } catch {
            return error.isRetriable ? false : await isStoreAvailable()
        }
    }

    /// Whether the store takes what it is asked to write about commands: a write of another kind proves nothing about that.
    func isStoreAvailable() async -> Bool { (try? await store.checkAvailability()) != nil }

    /// Returns at once where the store is not known to be unavailable, else when it takes writes again.
    func untilStoreIsAvailable() async throws(CancellationError) {
        var attempt = 0
        while storeGate.isClosed {
            if await isStoreAvailable() {
                storeGate.open()
                return observer.observe(.commandsTakenAgain)
            }
            try await time.sleep(for: policy.backoff(attempt: attempt, random: random.next()))
            attempt += 1
        }
    }
}
