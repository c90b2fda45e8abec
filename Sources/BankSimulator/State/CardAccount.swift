/// A card the bank knows, and the money behind it, in cents.
struct CardAccount: Sendable {
    let cardNumber: String
    let cvv: String
    /// The first instant at which the card is expired: the start of the month after the one printed on it.
    let expiresAt: Timestamp
    /// What is there; a capture takes from it, a refund gives back.
    var balance: Int64
    /// The balance less the holds of open authorizations.
    var available: Int64

    init(cardNumber: String, cvv: String, expiresAt: Timestamp, balance: Int64) {
        self.cardNumber = cardNumber
        self.cvv = cvv
        self.expiresAt = expiresAt
        self.balance = balance
        available = balance
    }

    /// The last four digits, all that may be shown of the number.
    var lastFour: String { String(cardNumber.suffix(4)) }
}
