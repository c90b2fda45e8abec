/// A question to the bank, which changes nothing there (docs/bank.md).
package enum BankQuery: Hashable, Sendable {
    case authorization(String)
    case capture(String)
    case refund(String)
    /// Whether it is well; asked for its clock.
    case health
}
