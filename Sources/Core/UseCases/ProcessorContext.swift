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
