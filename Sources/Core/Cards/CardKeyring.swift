/// The keys that open sealed cards: the current one first, and those before it, for what was sealed earlier.
package struct CardKeyring: Sendable {
    package let keys: [CardKey]
    private let byID: [String: CardKey]

    package static let empty = CardKeyring()

    private init() {
        keys = []
        byID = [:]
    }

    /// - Throws: where two keys have the same id.
    package init(_ keys: [CardKey]) throws(CardKeyProblem) {
        var byID: [String: CardKey] = [:]
        for key in keys where byID.updateValue(key, forKey: key.id) != nil {
            throw CardKeyProblem("holds a key whose kid another one has too")
        }
        self.keys = keys
        self.byID = byID
    }

    package subscript(id: String) -> CardKey? { byID[id] }

    /// The set of public keys (RFC 7517 §5) that senders choose from: the first is current.
    package var publicJSON: JSONValue { .object(["keys": .array(keys.map(\.publicKey.json))]) }
}
