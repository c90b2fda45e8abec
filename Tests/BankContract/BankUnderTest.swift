package import Core

/// A bank with the test cards, no latency and no failures of its own, and the ways to make it show its weaknesses
/// (docs/bank.md#behaviour).
package protocol BankUnderTest: Sendable {
    var bank: any Bank { get }

    /// Lets the next request of that kind go wrong.
    func cause(_ trouble: BankTrouble, on operation: OperationKind) async throws

    /// How often something took effect under a key.
    func effects(_ key: String) async throws -> Int

    /// Lets at least that much time go by.
    func pass(_ duration: Duration) async throws
}

/// The faults of docs/bank.md#the-bank-simulator, by their names there.
package enum BankTrouble: String, Sendable, CaseIterable {
    case dropBefore = "drop-before"
    case dropAfter = "drop-after"
    case garbage
    case error500 = "error-500"
    case loseKey = "lose-key"
    /// The request takes a fifth of a second.
    case latency
}
