/// The bank. Whatever goes wrong is an answer too: the verdict table judges it.
package protocol Bank: Sendable {
    /// Sends the request once, never twice by itself, and is back within its timeout.
    ///
    /// A call that is given up on (its timeout is over, or the task is cancelled) is not cut: it goes on until it ends or its limit
    /// is over, because the bank forgets the key of a caller that hangs up (docs/correctness.md#cut-calls).
    ///
    /// - Parameters:
    ///   - request: with the key that every attempt of its operation uses.
    ///   - late: called once with how such a call ended, from any thread; must be short.
    func send(_ request: BankRequest, late: @escaping @Sendable (BankAnswer) -> Void) async -> BankAnswer
}

extension Bank {
    /// The same, for who does not want to hear of a late answer.
    package func send(_ request: BankRequest) async -> BankAnswer { await send(request) { _ in } }
}

/// Questions to the bank, which change nothing there.
package protocol BankQueries: Sendable {
    /// Asks, with the bank's clock in the answer; is back within the timeout. Asking again is always safe.
    func ask(_ query: BankQuery, timeout: Duration) async -> BankAnswer
}

/// What the processors tell each other about the bank, so that one that starts during an outage knows of it
/// (docs/correctness.md#starting-in-an-outage).
package protocol BankStatusStore: Sendable {
    /// `nil` where nobody has ever said.
    func bankStatus() async throws(StoreError) -> BankStatus?

    /// - Parameters:
    ///   - isUnavailable: whether the circuit breaker is open.
    ///   - cause: a code; `nil` where it is available.
    func recordBankStatus(isUnavailable: Bool, cause: String?) async throws(StoreError)
}

/// How the bank was when a processor last said.
package struct BankStatus: Hashable, Sendable {
    package let isUnavailable: Bool
    /// A code.
    package let cause: String?
    /// On the store's clock.
    package let age: Duration

    package init(isUnavailable: Bool, cause: String?, age: Duration) {
        self.isUnavailable = isUnavailable
        self.cause = cause
        self.age = age
    }
}
