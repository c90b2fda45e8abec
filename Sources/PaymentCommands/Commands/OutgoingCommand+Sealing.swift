import CardSealing
package import Core

extension OutgoingCommand {
    private static let sealedCard = "sealed_card"

    /// Whether there is a card in it that everybody can read.
    package var hasPlainCard: Bool { plainCard != nil }

    package var hasSealedCard: Bool {
        guard let sealed = (try? JSONParser.parse(body))?[Self.sealedCard] else { return false }
        return !sealed.isNull
    }

    private var plainCard: (card: JSONValue, members: [String: JSONValue])? {
        guard kind == .authorize, case .object(let members)? = try? JSONParser.parse(body), let card = members["card"],
            !card.isNull, members[Self.sealedCard] == nil
        else { return nil }
        return (card, members)
    }

    /// The same with its card sealed, for its payment alone.
    package func sealed(for key: CardPublicKey) throws(PaymentClientError) -> OutgoingCommand {
        guard let plain = plainCard else { return self }
        var members = plain.members
        do throws(CardKeyProblem) {
            members[Self.sealedCard] = .string(try CardSealer.seal(plain.card, for: paymentID, with: key))
        } catch {
            throw PaymentClientError(.configuration, "the card key \(error)")
        }
        members["card"] = nil
        return OutgoingCommand(self, body: .object(members))
    }
}
