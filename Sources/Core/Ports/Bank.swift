/// The bank. Whatever goes wrong is an answer too: the verdict table judges it.
package protocol Bank: Sendable {
    /// Sends the request once, never twice by itself, and is back within its timeout.
    func send(_ request: BankRequest) async -> BankAnswer
}
