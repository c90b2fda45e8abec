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
