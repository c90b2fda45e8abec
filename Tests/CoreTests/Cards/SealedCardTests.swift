import CardSealing
import Core
import Testing

/// docs/contract.md#sealed-cards, from the message to the command or its rejection.
@Suite("Sealed cards", .timeLimit(.minutes(1)))
struct SealedCardTests {
    private static let own = CardKey.generated(.p256)
    private static let other = CardKey.generated(.x25519)

    private func decoder(_ keys: [CardKey] = [own, other], acceptsPlain: Bool = true) throws -> CommandDecoder {
        CommandDecoder(CardIntake(keys: try CardKeyring(keys), acceptsPlain: acceptsPlain))
    }

    private func card(of message: Message, by decoder: CommandDecoder) throws -> CardDetails {
        let decoded = decoder.decode(message)
        guard case .command(let command) = decoded, case .authorize(let parameters) = command.parameters else {
            throw Unexpected(decoded: "\(decoded)")
        }
        return parameters.card
    }

    private func problem(with message: Message, by decoder: CommandDecoder) throws -> String {
        let decoded = decoder.decode(message)
        guard case .answerable(let command) = decoded else { throw Unexpected(decoded: "\(decoded)") }
        return command.problem.description
    }

    struct Unexpected: Error {
        let decoded: String
    }

    @Test("what jwcrypto, joserfc and node have sealed opens", arguments: CardSet.foreign?.tokens ?? [])
    func foreign(_ token: CardSet.Token) throws {
        let set = try #require(CardSet.foreign)
        let card = try card(of: .sealed(token.text, payment: set.paymentID), by: decoder(set.keys))
        #expect(card.number == CommandMessage.number)
        #expect(card.cvv == "123")
        #expect(card.expiryMonth == 12)
        #expect(card.expiryYear == 2030)
    }

    @Test("there are tokens of three makers, with every algorithm on every kind of key")
    func completeness() throws {
        let tokens = try #require(CardSet.foreign).tokens
        #expect(Set(tokens.map(\.maker)).isSuperset(of: ["jwcrypto", "joserfc", "node"]))
        for maker in ["jwcrypto", "joserfc", "node"] { #expect(tokens.count { $0.maker == maker } == 5) }
    }

    @Test("what our own sender has sealed opens, with every algorithm", arguments: CardAlgorithm.allCases)
    func own(_ algorithm: CardAlgorithm) throws {
        let rsa = try #require(CardSet.foreign?.keys.last)
        for key in algorithm == .rsa ? [rsa] : [Self.own, Self.other] {
            let token = try seal(key: key, algorithm)
            #expect(token.utf8.count < 1_000)
            let card = try card(of: .sealed(token), by: decoder([Self.own, Self.other, rsa]))
            #expect(card.number == CommandMessage.number)
        }
    }

    private func seal(
        _ card: JSONValue = CommandMessage.card,
        payment: String = CommandMessage.paymentID,
        key: CardKey = own,
        _ algorithm: CardAlgorithm? = nil
    ) throws -> String {
        try CardSealer.seal(card, for: payment, with: key.publicKey, algorithm)
    }

    @Test("two seals of the same card are the same command, and so is the plain card")
    func sameCommand() throws {
        let decoder = try decoder()
        let messages = [
            CommandMessage.sealed(try seal()), .sealed(try seal(key: Self.other)),
            CommandMessage.valid(.authorize),
        ]
        let fingerprinter = Fingerprinter(secret: Array("secret".utf8))
        let prints = try messages.map { message in
            guard case .command(let command) = decoder.decode(message) else { throw Unexpected(decoded: "") }
            return fingerprinter.fingerprint(of: command, resolvedAmount: 5_000)
        }
        #expect(Set(prints).count == 1)
    }

    @Test("a plain card is invalid where only sealed ones are taken; both at once are, everywhere")
    func forms() throws {
        let strict = try decoder(acceptsPlain: false)
        #expect(try problem(with: .valid(.authorize), by: strict).hasPrefix("card: "))
        #expect(throws: Never.self) { try card(of: .sealed(try seal()), by: strict) }
        let both = CommandMessage.sealed(
            try seal(),
            more: #","card":{"number":"4111111111111111","cvv":"987","expiry_month":12,"expiry_year":2030}"#
        )
        #expect(try problem(with: both, by: decoder()) == "sealed_card: must not come together with card")
        // `null` is as good as nothing.
        #expect(throws: Never.self) { try card(of: .sealed(try seal(), more: #","card":null"#), by: strict) }
        let unsealed = CommandMessage.authorizeBody(more: #","sealed_card":null"#)
        #expect(throws: Never.self) { try card(of: .valid(body: unsealed), by: decoder()) }
    }

    @Test("a key that is not ours, a missing one, another payment: each by its name")
    func reasons() throws {
        let decoder = try decoder()
        let foreign = try seal(key: CardKey.generated(.p256))
        #expect(try problem(with: .sealed(foreign), by: decoder) == "sealed_card: unknown_key")
        #expect(try problem(with: .sealed(foreign), by: CommandDecoder()) == "sealed_card: unknown_key")
        let nameless = try changed(try seal()) { $0["kid"] = nil }
        #expect(try problem(with: .sealed(nameless), by: decoder) == "sealed_card: unknown_key")
        let elsewhere = try seal(payment: "0190c3a1-7b2d-7c3e-8f4a-123456789abd")
        #expect(try problem(with: .sealed(elsewhere), by: decoder) == "sealed_card: other_payment")
        // The case of an id does not matter, sealed or not.
        let upper = try seal(payment: CommandMessage.paymentID.uppercased())
        #expect(throws: Never.self) { try card(of: .sealed(upper), by: decoder) }
    }

    @Test("the card inside is judged as a plain one is, by the name of its field")
    func fields() throws {
        let decoder = try decoder()
        guard case .object(let members) = CommandMessage.card else { return }
        let table: [(field: String, value: JSONValue?)] = [
            ("number", .string("4111")), ("number", nil), ("cvv", .string("12345")), ("cvv", .integer(987)),
            ("expiry_month", .integer(13)), ("expiry_year", .integer(1999)),
        ]
        for row in table {
            var card = members
            card[row.field] = row.value
            let problem = try problem(with: .sealed(try seal(.object(card))), by: decoder)
            #expect(problem.hasPrefix("sealed_card: card.\(row.field) must be "), "\(problem)")
        }
        #expect(try problem(with: .sealed(try seal(.null)), by: decoder) == "sealed_card: card must be a JSON object")
    }

    @Test("whatever has been changed on its way cannot be opened", arguments: 0..<5)
    func tampered(part: Int) throws {
        for algorithm in CardAlgorithm.allCases {
            let rsa = try #require(CardSet.foreign?.keys.last)
            let token = try seal(key: algorithm == .rsa ? rsa : Self.own, algorithm)
            var parts = token.split(separator: ".", omittingEmptySubsequences: false).map {
                Base64URL.decoded($0) ?? []
            }
            guard part > 0 else { continue }
            if parts[part].isEmpty { parts[part] = [1] } else { parts[part][0] ^= 1 }
            let changed = parts.map { Base64URL.encoded($0) }.joined(separator: ".")
            let problem = try problem(with: .sealed(changed), by: decoder([Self.own, rsa]))
            #expect(problem == "sealed_card: cannot_be_opened")
        }
        // The header is covered, too.
        let header = try changed(try seal()) { $0["cty"] = .string("json") }
        #expect(try problem(with: .sealed(header), by: decoder()) == "sealed_card: cannot_be_opened")
    }

    @Test("what is not allowed is unsupported, whatever it holds")
    func unsupported() throws {
        let decoder = try decoder()
        let changes: [(String, JSONValue?)] = [
            ("zip", .string("DEF")), ("crit", .array([.string("exp")])), ("crit", .array([])),
            ("alg", .string("dir")), ("alg", .string("RSA-OAEP")), ("alg", .string("RSA1_5")), ("alg", nil),
            ("alg", .string("RSA-OAEP-256")), ("alg", .string("none")), ("enc", .string("A128GCM")),
            ("enc", .string("A256CBC-HS512")), ("enc", nil),
        ]
        for (name, value) in changes {
            let token = try changed(try seal()) { $0[name] = value }
            #expect(try problem(with: .sealed(token), by: decoder) == "sealed_card: unsupported", "\(name)")
        }
        let rsa = try #require(CardSet.foreign?.keys.last)
        let other = try changed(try seal(key: rsa)) { $0["alg"] = .string("ECDH-ES") }
        #expect(try problem(with: .sealed(other), by: try self.decoder([rsa])) == "sealed_card: unsupported")
        let long = String(repeating: "A", count: 4_097)
        #expect(try problem(with: .sealed(long), by: decoder) == "sealed_card: unsupported")
    }

    @Test("anything else is no sealed card, and nothing of it is said")
    func malformed() throws {
        let decoder = try decoder()
        let token = try seal()
        let texts = [
            #""""#, #""....""#, #""a.b.c.d""#, "\"\(token).AA\"", "\"\(token)=\"", "1", "true", "[]", "{}",
            "\"\(token.dropLast(1))\"",
        ]
        for text in texts {
            let problem = try problem(with: .sealed(json: text), by: decoder)
            #expect(problem == "sealed_card: cannot_be_opened", "\(text)")
        }
        for epk in [JSONValue.null, .object([:]), .string("x"), Self.other.publicKey.json] {
            let token = try changed(try seal()) { $0["epk"] = epk }
            #expect(try problem(with: .sealed(token), by: decoder) == "sealed_card: cannot_be_opened")
        }
        // A point that is not on the curve, chosen to learn something of the private key.
        let point = JSONValue.object([
            "kty": .string("EC"), "crv": .string("P-256"),
            "x": .string(Base64URL.encoded([UInt8](repeating: 1, count: 32))),
            "y": .string(Base64URL.encoded([UInt8](repeating: 2, count: 32))),
        ])
        let crafted = try changed(try seal()) { $0["epk"] = point }
        #expect(try problem(with: .sealed(crafted), by: decoder) == "sealed_card: cannot_be_opened")
    }

    @Test("an id that is the number of the sealed card is no id, and is not said")
    func numberInIDs() throws {
        let decoder = try decoder()
        var message = CommandMessage.sealed(try seal())
        message.messageID = "id-\(CommandMessage.number)"
        guard case .answerable(let invalid) = decoder.decode(message) else { throw Unexpected(decoded: "answerable") }
        #expect(invalid.messageID == nil)
        #expect(invalid.problem.field == "message_id")
        message = CommandMessage.sealed(try seal())
        message.headers[HeaderName.idempotencyKey] = .string(CommandMessage.number)
        guard case .unanswerable(let problem) = decoder.decode(message) else {
            throw Unexpected(decoded: "unanswerable")
        }
        #expect(problem.field == HeaderName.idempotencyKey)
        let cards = CardIntake(keys: try CardKeyring([Self.own]))
        #expect(CommandIdentity(message, opening: cards).idempotencyKey == nil)
        let reduced = ReducedMessage(message, kind: .authorize, opening: cards)
        #expect(!"\(reduced.message)".contains(CommandMessage.number))
    }

    @Test("any bytes in its place are answered, never a trap")
    func fuzz() throws {
        let decoder = try decoder()
        let token = Array(try seal().utf8)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<3_000 {
            var bytes = token
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0...2, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0x2d...0x7a, using: &random)
                case 1: bytes.removeSubrange(place..<min(bytes.count, place + 3))
                default: bytes.insert(UInt8(ascii: "."), at: place)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self).filter { $0 != "\\" }
            let decoded = decoder.decode(.sealed(text))
            if text == String(decoding: token, as: UTF8.self) { continue }
            guard case .answerable(let command) = decoded else { throw Unexpected(decoded: "\(decoded) of \(text)") }
            #expect(command.problem.field == "sealed_card")
        }
    }

    /// The token with another header.
    private func changed(_ token: String, _ change: (inout [String: JSONValue]) -> Void) throws -> String {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = try #require(Base64URL.decoded(parts[0]))
        guard case .object(var header) = try JSONParser.parse(bytes) else { throw Unexpected(decoded: "header") }
        change(&header)
        let encoded = Base64URL.encoded(JSONValue.object(header).encoded)
        return ([encoded] + parts.dropFirst().map(String.init)).joined(separator: ".")
    }
}

extension Message {
    fileprivate static func sealed(_ token: String, payment: String = CommandMessage.paymentID, more: String = "")
        -> Message
    { CommandMessage.sealed(token, payment: payment, more: more) }

    fileprivate static func sealed(json: String) -> Message { CommandMessage.sealed(json: json) }

    fileprivate static func valid(_ kind: OperationKind) -> Message { CommandMessage.valid(kind) }

    fileprivate static func valid(body: String) -> Message { CommandMessage.valid(body: body) }
}
