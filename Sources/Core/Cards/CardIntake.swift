/// In what forms the cards of commands are taken.
package struct CardIntake: Sendable {
    package let keys: CardKeyring
    /// Whether a card that is not sealed is taken: `cards.accept-plain`.
    package let acceptsPlain: Bool

    package init(keys: CardKeyring = .empty, acceptsPlain: Bool = true) {
        self.keys = keys
        self.acceptsPlain = acceptsPlain
    }

    /// The content of a sealed card. It is the only place where one is opened.
    func content(of token: JSONValue) throws(SealedCardProblem) -> [UInt8] {
        guard let token = token.string else { throw .cannotBeOpened }
        return try SealedCard(token).opened(with: keys)
    }
}
