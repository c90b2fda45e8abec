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
