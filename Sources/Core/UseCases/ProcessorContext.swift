import Synchronization

/// What the processor works with, the same for live commands and for sweeps: the ports, the clocks and the rules.
package struct ProcessorContext: Sendable {
    package let store: any PaymentStore
    package let bankStatus: any BankStatusStore
    package let bank: any Bank
    package let breaker: CircuitBreaker
    package let time: any TimeSource
    package let random: any RandomSource
    package let observer: any ProcessorObserver
    package let limits: HandlerLimits
    package let policy: RetryPolicy
    package let limiter: BankLimiter
    package let cards: CardIntake
    package let merchants: MerchantAccess?
    package let lateAnswers = LateAnswers()
    let storeGate = StoreGate()

    package init(
        store: any PaymentStore & BankStatusStore,
        bank: any Bank,
        breaker: CircuitBreaker,
        time: any TimeSource,
        random: any RandomSource,
        observer: any ProcessorObserver,
        limits: HandlerLimits,
        policy: RetryPolicy = RetryPolicy(),
        limiter: BankLimiter = BankLimiter(concurrency: 128),
        cards: CardIntake = CardIntake(),
        merchants: MerchantAccess? = nil
    ) {
        self.store = store
        bankStatus = store
        self.bank = bank
        self.breaker = breaker
        self.time = time
        self.random = random
        self.observer = observer
        self.limits = limits
        self.policy = policy
        self.limiter = limiter
        self.cards = cards
        self.merchants = merchants
    }

    var patiently: StorePatience { StorePatience(time: time, random: random, observer: observer, policy: policy) }
}

/// The times that keep two requests under one bank key apart (docs/bank.md#times, docs/correctness.md#unlocked-keys).
package struct HandlerLimits: Hashable, Sendable {
    /// Bounds one request to the bank.
    package let bankTimeout: Duration
    /// How long the bank may go on executing a request that we gave up on.
    package let bankWorstCase: Duration
    /// At least the sum of the two: within it no one else may send under the same key.
    package let lease: Duration
    /// How long a command waits for another one of its payment, all deferrals included
    /// (docs/correctness.md#busy-payment).
    package let busyAfter: Duration

    package init(bankTimeout: Duration, bankWorstCase: Duration, lease: Duration, busyAfter: Duration) {
        self.bankTimeout = bankTimeout
        self.bankWorstCase = bankWorstCase
        self.lease = lease
        self.busyAfter = busyAfter
    }

    /// The timeout of a request that is sent now, such that even its worst case ends within the lease; `nil` where too
    /// little is left of it to be worth a try.
    ///
    /// - Parameter elapsed: since before the claim, on this process's monotonic clock.
    func timeout(elapsed: Duration) -> Duration? {
        let left = lease - bankWorstCase - elapsed
        return left < bankTimeout / 2 ? nil : min(left, bankTimeout)
    }
}

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

/// Tries a call of the store again while the store is away, for as long as a delivery may be held
/// (docs/correctness.md#long-waits).
struct StorePatience: Sendable {
    let time: any TimeSource
    let random: any RandomSource
    let observer: any ProcessorObserver
    let policy: RetryPolicy

    func callAsFunction<Value>(
        _ work: () async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let started = time.uptime()
        var attempt = 0
        while true {
            do throws(StoreError) {
                return try await work()
            } catch {
                observer.observe(.storeFailed(error))
                guard error.isRetriable, time.uptime() - started < policy.storePatience else { throw error }
                do throws(CancellationError) {
                    try await time.sleep(for: policy.backoff(attempt: attempt, random: random.next()))
                } catch { throw StoreError(.unavailable, detail: "cancelled") }
                attempt += 1
            }
        }
    }
}
