/// Questions to the bank, which change nothing there.
package protocol BankQueries: Sendable {
    /// Asks, with the bank's clock in the answer; is back within the timeout. Asking again is always safe.
    func ask(_ query: BankQuery, timeout: Duration) async -> BankAnswer
}
