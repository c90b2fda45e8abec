package import Core

/// A public key of the processor, for which cards are sealed (docs/contract.md#sealed-cards): nobody else can read them.
///
/// Keys change: load it again now and then, and whenever a command is rejected with `sealed_card: unknown_key`.
public struct CardSealingKey: Sendable, CustomStringConvertible {
    package let key: CardPublicKey

    /// The key's `kid`, by which the processor finds its private half.
    public var id: String { key.id }

    /// - Parameter json: a JSON Web Key, or a set of them, of which the first that can be used counts.
    /// - Throws: `PaymentClientError.Code.configuration` where there is none.
    public init(json: [UInt8]) throws(PaymentClientError) {
        key = try Self.key(in: json)
    }

    private init(_ key: CardPublicKey) {
        self.key = key
    }

    /// Reads it from a file, or fetches it from the processor: `https://…/.well-known/jwks.json`. `http://` only leads to this machine.
    ///
    /// - Throws: `configuration` for an address or a file that cannot be used, `unavailable` where nobody answers within 15 s.
    public static func load(from source: String) async throws(PaymentClientError) -> CardSealingKey {
        let place: CardKeySource
        do throws(ConfigurationProblem) {
            place = try CardKeySource(source)
        } catch {
            throw PaymentClientError(.configuration, "the source of the card key \(error)")
        }
        return CardSealingKey(try await place.key())
    }

    static func key(in json: [UInt8]) throws(PaymentClientError) -> CardPublicKey {
        do throws(CardKeyProblem) {
            guard let key = try JSONWebKey.publicKeys(json).first else {
                throw CardKeyProblem("holds no key that cards can be sealed for")
            }
            return key
        } catch {
            throw PaymentClientError(.configuration, "the card key's source \(error)")
        }
    }

    public var description: String { "card key \(id)" }
}
