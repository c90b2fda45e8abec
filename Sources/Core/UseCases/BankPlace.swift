import Synchronization

/// A command's place among those on their way to the bank and back (`BankLimiter`), left once.
final class BankPlace: Sendable {
    private let limiter: BankLimiter
    private let isLeft = Mutex(false)

    /// Waits for a place.
    init(in limiter: BankLimiter) async throws(CancellationError) {
        self.limiter = limiter
        try await limiter.enter()
    }

    /// As soon as the bank has answered: what is being written keeps nobody from asking.
    func leave() {
        let wasLeft = isLeft.withLock { isLeft in
            defer { isLeft = true }
            return isLeft
        }
        if !wasLeft { limiter.leave() }
    }
}
