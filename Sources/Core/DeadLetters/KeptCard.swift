/// The sealed card of a valid authorize, which its dead letter keeps. That it has been opened proves that it is one: whatever else
/// stands in its place might hold anything.
package struct KeptCard: Hashable, Sendable {
    package let token: String
    /// BIN and last four of what is in it.
    package let masked: String

    /// - Parameters:
    ///   - body: as it arrived.
    ///   - parameters: decoded from it.
    /// - Returns: `nil` where the card came plain, or where its number stands in what of a sealed card is not encrypted.
    package init?(_ body: [UInt8], _ parameters: AuthorizeParameters) {
        guard let token = (try? JSONParser.parse(body))?[SealedCardProblem.field]?.string,
            let header = token.split(separator: ".").first.flatMap({ Base64URL.decoded($0) }),
            !KnownCards(parameters.card).stand(in: String(decoding: header, as: UTF8.self)),
            !KnownCards(parameters.card).stand(in: token)
        else { return nil }
        self.token = token
        masked = parameters.card.masked
    }
}
