package import Core

/// A card at the bank (docs/bank.md#behaviour).
package struct BankAccount: Hashable, Sendable {
    package let number: String
    package let cvv: String
    /// The first instant at which the card is no longer good.
    package let expiresAt: Timestamp
    /// What may be authorized still, in cents.
    package var available: Int64
    /// What is really there, in cents.
    package var balance: Int64

    package init(number: String, cvv: String, expiresAt: Timestamp, cents: Int64) {
        self.number = number
        self.cvv = cvv
        self.expiresAt = expiresAt
        available = cents
        balance = cents
    }

    /// The four test cards.
    package static let testCards: [BankAccount] = [
        // 2031-01-01, 2030-07-01, 2030-10-01 and 2020-04-01.
        BankAccount(number: "4111111111111111", cvv: "123", expiresAt: second(1_924_992_000), cents: 1_000_000),
        BankAccount(number: "4242424242424242", cvv: "456", expiresAt: second(1_909_094_400), cents: 50_000),
        BankAccount(number: "5555555555554444", cvv: "789", expiresAt: second(1_917_043_200), cents: 0),
        BankAccount(number: "5105105105105100", cvv: "321", expiresAt: second(1_585_699_200), cents: 500_000),
    ]

    private static func second(_ seconds: Int64) -> Timestamp { Timestamp(microseconds: seconds * 1_000_000) }
}
