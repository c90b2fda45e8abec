/// What an authorization asks for. The expiry date of the request is not here: the bank ignores it, only the account's
/// counts.
struct AuthorizeRequest: Equatable, Sendable {
    let cardNumber: String
    let cvv: String
    /// Cents.
    let amount: Int64
}

/// Card data never shows, not even in a test's failure message.
extension AuthorizeRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "AuthorizeRequest(amount: \(amount))" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: ["amount": amount]) }
}
