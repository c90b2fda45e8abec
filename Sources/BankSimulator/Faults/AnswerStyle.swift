/// The ways in which ``FaultKind/reshape`` writes an answer: each says the same as the usual one, but for `pending`.
enum AnswerStyle: String, CaseIterable, Sendable {
    /// The body compressed, with `Content-Encoding: gzip`.
    case gzip
    /// HTTP/1.0 without a length: the body ends where the connection does.
    case http10
    /// A UTF-8 byte order mark in front of the body.
    case byteOrderMark = "bom"
    /// The currency is `usd`.
    case lowerCurrency = "lower-currency"
    /// The amount is 5000.0.
    case decimalAmount = "decimal-amount"
    /// Currency and times are null.
    case nullFields = "null-fields"
    /// The status word is `pending`, though the command is executed and its key stored.
    case pending
    /// The status word is in capital letters.
    case upperStatus = "upper-status"
}
