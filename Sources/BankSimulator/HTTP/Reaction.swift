/// What the server has to do about a request.
enum Reaction: Equatable, Sendable {
    /// Cut the connection, without a word.
    case cut
    /// Send the answer; its key, if it has one, is stored already.
    case answer(HTTPAnswer)
}
