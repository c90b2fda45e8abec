/// What the server has to do about a request.
enum Reaction: Equatable, Sendable {
    /// Cut the connection, without a word.
    case cut
    /// Send the answer, and only then hand in the key, whether the sending worked or not.
    case answer(HTTPAnswer, then: PendingKey?)
}

/// A success whose idempotency key is not stored yet.
struct PendingKey: Equatable, Sendable {
    let operation: BankOperation
    let key: String
    let answer: BankAnswer
}
