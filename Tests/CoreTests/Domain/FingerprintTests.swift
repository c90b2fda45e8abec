import Testing

@testable import Core

@Suite("Fingerprint", .timeLimit(.minutes(1)))
struct FingerprintTests {
    private let fingerprinter = Fingerprinter(secret: Array("secret".utf8))

    private func command(_ message: Message) throws -> Command {
        guard case .command(let command) = CommandDecoder().decode(message) else { throw NotDecoded() }
        return command
    }

    private struct NotDecoded: Error {}

    private func fingerprint(_ message: Message, amount: Int64? = 5_000) throws -> Fingerprint {
        fingerprinter.fingerprint(of: try command(message), resolvedAmount: amount)
    }

    @Test("covers the operation, the payment and every parameter of an authorize")
    func covers() throws {
        let other = "0190c3a1-7b2d-7c3e-8f4a-000000000000"
        func card(_ from: String, _ to: String) -> Message {
            CommandMessage.valid(body: CommandMessage.authorizeBody().replacing(from, with: to))
        }
        var prints: [Fingerprint] = [
            try fingerprint(CommandMessage.valid()),
            try fingerprint(CommandMessage.valid(payment: other)),
            try fingerprint(CommandMessage.valid(body: CommandMessage.authorizeBody(order: "order-2"))),
            try fingerprint(CommandMessage.valid(body: CommandMessage.authorizeBody(customer: "cust-2"))),
            try fingerprint(CommandMessage.valid(), amount: 5_001),
            try fingerprint(card("4111111111111111", "4111111111111112")),
            try fingerprint(card("12", "11")),
            try fingerprint(card("2030", "2031")),
            try fingerprint(CommandMessage.valid(body: CommandMessage.authorizeBody(order: "caf\u{e9}"))),
            try fingerprint(CommandMessage.valid(body: CommandMessage.authorizeBody(order: "cafe\u{301}"))),
            try fingerprint(CommandMessage.valid(.capture)),
            try fingerprint(CommandMessage.valid(.capture), amount: 1),
            try fingerprint(CommandMessage.valid(.refund)),
            try fingerprint(CommandMessage.valid(.void), amount: nil),
        ]
        // Fields do not run into each other.
        prints.append(
            try fingerprint(CommandMessage.valid(body: CommandMessage.authorizeBody(order: "ab", customer: "c")))
        )
        prints.append(
            try fingerprint(CommandMessage.valid(body: CommandMessage.authorizeBody(order: "a", customer: "bc")))
        )
        #expect(Set(prints).count == prints.count)
        #expect(prints.allSatisfy { $0.bytes.count == 32 })
    }

    @Test("does not cover what may differ between two deliveries of one command")
    func ignores() throws {
        let first = try fingerprint(CommandMessage.valid())
        let message = CommandMessage.valid {
            $0.messageID = "other"
            $0.correlationID = "other"
            $0.replyTo = "replies.other"
            $0.headers[HeaderName.deadline] = .string("2030-01-31T12:00:00Z")
            $0.headers[HeaderName.traceparent] = .string("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
            $0.headers[HeaderName.merchantID] = .string("default")
            $0.body = Array(CommandMessage.authorizeBody(more: #","unknown":1"#).utf8)
        }
        #expect(try fingerprint(message) == first)
        // Nor the CVV: a digest of it must not rest in a table.
        let otherCVV = CommandMessage.valid(body: CommandMessage.authorizeBody().replacing("987", with: "986"))
        #expect(try fingerprint(otherCVV) == first)
        let upper = CommandMessage.valid(payment: CommandMessage.paymentID.uppercased())
        #expect(try fingerprint(upper) == first)
    }

    @Test("is keyed: another secret gives another print and another check value")
    func keyed() throws {
        let other = Fingerprinter(secret: Array("secret2".utf8))
        let command = try command(CommandMessage.valid())
        #expect(
            other.fingerprint(of: command, resolvedAmount: 5_000)
                != fingerprinter.fingerprint(of: command, resolvedAmount: 5_000)
        )
        #expect(other.checkValue != fingerprinter.checkValue)
        #expect(fingerprinter.checkValue == Fingerprinter(secret: Array("secret".utf8)).checkValue)
    }

    @Test("is recognized by every secret that is known, and by no other")
    func rotation() throws {
        func secrets(_ current: String, _ previous: String...) -> Fingerprinter {
            Fingerprinter(secret: Array(current.utf8), previous: previous.map { Array($0.utf8) })
        }
        let (authorize, capture) = (try command(CommandMessage.valid()), try command(CommandMessage.valid(.capture)))
        for command in [authorize, capture] {
            let stored = secrets("a").fingerprint(of: command, resolvedAmount: 5_000)
            func isKnown(to fingerprinter: Fingerprinter, amount: Int64 = 5_000) -> Bool {
                fingerprinter.recognizes(stored, of: command, resolvedAmount: amount)
            }
            #expect(isKnown(to: secrets("a")) && isKnown(to: secrets("b", "a")) && isKnown(to: secrets("c", "b", "a")))
            #expect(!isKnown(to: secrets("b")) && !isKnown(to: secrets("c", "b")))
            #expect(!isKnown(to: secrets("b", "a"), amount: 5_001))
            #expect(secrets("b", "a").fingerprint(of: command, resolvedAmount: 5_000).secretID != stored.secretID)
        }
        #expect(secrets("b", "a").previousCheckValues == [secrets("a").checkValue])
    }

    /// Made by another program, over the CVV too, as a version before this one did.
    @Test("one that was stored before secrets were noted is recognized with its CVV, under any secret")
    func legacy() throws {
        let text = "3eb633f76af079fa17c598a144f80c0f60bd719d2551dc8e083eb47596840499"
        let digits = Array(text.utf8).compactMap { Hex.value(of: $0) }
        let stored = Fingerprint(bytes: stride(from: 0, to: 64, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
        let later = Fingerprinter(secret: Array("later".utf8), previous: [Array("secret".utf8)])
        for fingerprinter in [fingerprinter, later] {
            let own = try command(CommandMessage.valid())
            #expect(fingerprinter.recognizes(stored, of: own, resolvedAmount: 5_000))
            let body = CommandMessage.authorizeBody().replacing("987", with: "986")
            let other = try command(CommandMessage.valid(body: body))
            #expect(!fingerprinter.recognizes(stored, of: other, resolvedAmount: 5_000))
        }
    }

    /// Made by another program: HMAC-SHA256 over each field behind its length as four bytes, big-endian.
    @Test("is stable: a stored print of today must match tomorrow")
    func golden() throws {
        let print = try fingerprint(CommandMessage.valid())
        let text = print.bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        #expect(text == "be94b6e03e9954d44bccdc3da0c5b24a535531a231bb7ece4bf977160b138669")
    }
}

@Suite("The key that the bank knows an operation by", .timeLimit(.minutes(1)))
struct BankKeyTests {
    private static let payment = "0190c3a1-7b2d-7c3e-8f4a-123456789abc"

    private func key(
        merchant: String = "default",
        key: String = "k-1",
        kind: OperationKind = .authorize,
        payment: String = payment
    ) throws -> String {
        BankKey.derived(
            merchantID: try #require(MerchantID(merchant)),
            idempotencyKey: try #require(IdempotencyKey(key)),
            kind: kind,
            paymentID: try #require(PaymentID(payment))
        )
    }

    @Test("is derived from the command alone, in a form that never changes")
    func vector() throws {
        // Computed by Python: base64.urlsafe_b64encode(hashlib.sha256(b"".join(struct.pack(">I", len(f)) + f …)).digest()).
        #expect(try key() == "pp1-uHeVl-0xxia1PinefjVcS7h_LUSwo99rwrvl11076mc")
        #expect(
            try key(merchant: "shop-2", key: "clé ✓", kind: .refund, payment: "FFFFFFFF-0000-4000-8000-00000000000A")
                == "pp1-gwlWTQGALyXhqBwZKSZANAx1wv_a9wXNvYECP6JWGqM"
        )
    }

    @Test("has 47 characters that every bank takes")
    func form() throws {
        let text = try key(key: String(repeating: "x", count: 255))
        #expect(text.utf8.count == 47)
        #expect(text.hasPrefix("pp1-"))
        #expect(text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f })
    }

    @Test("differs where anything of the command differs, and where fields only seem to run into each other")
    func distinct() throws {
        let keys = [
            try key(), try key(merchant: "other"), try key(key: "k-2"), try key(kind: .capture),
            try key(payment: "0190c3a1-7b2d-7c3e-8f4a-123456789abd"), try key(merchant: "defaultk", key: "-1"),
        ]
        #expect(Set(keys).count == keys.count)
    }
}
