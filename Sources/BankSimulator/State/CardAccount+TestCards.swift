extension CardAccount {
    /// The card that stays without money, whatever the configuration says.
    private static let emptyCardNumber = "5555555555554444"

    /// The bank's four test cards. A `balance`, in cents, stands instead of the bank's own figures; the card for
    /// insufficient funds keeps its zero.
    static func testCards(balance: Int64?) -> [CardAccount] {
        let january2031 = Timestamp(nanoseconds: 1_924_992_000_000_000_000)
        let july2030 = Timestamp(nanoseconds: 1_909_094_400_000_000_000)
        let october2030 = Timestamp(nanoseconds: 1_917_043_200_000_000_000)
        let april2020 = Timestamp(nanoseconds: 1_585_699_200_000_000_000)
        return [
            CardAccount(
                cardNumber: "4111111111111111",
                cvv: "123",
                expiresAt: january2031,
                balance: balance ?? 1_000_000
            ),
            CardAccount(cardNumber: "4242424242424242", cvv: "456", expiresAt: july2030, balance: balance ?? 50_000),
            CardAccount(cardNumber: emptyCardNumber, cvv: "789", expiresAt: october2030, balance: 0),
            CardAccount(cardNumber: "5105105105105100", cvv: "321", expiresAt: april2020, balance: balance ?? 500_000),
        ]
    }
}
