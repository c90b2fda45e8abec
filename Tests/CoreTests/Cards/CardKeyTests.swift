import CardSealing
import Core
import Crypto
import Testing

@Suite("JSON Web Keys", .timeLimit(.minutes(1)))
struct JSONWebKeyTests {
    @Test("a key that was made here reads back as itself", arguments: CardCurve.allCases)
    func roundTrip(curve: CardCurve) throws {
        let key = CardKey.generated(curve)
        let json = try #require(key.privateJSON)
        let back = try #require(try JSONWebKey.privateKeys(json.encoded).first)
        #expect(back.id == key.id)
        #expect(back.privateJSON == json)
        #expect(key.id == key.publicKey.thumbprint)
        #expect(json["use"] == .string("enc"))
        #expect(json["alg"] == .string("ECDH-ES"))
        #expect(json["crv"] == .string(curve.rawValue))
    }

    /// RFC 7638 §3.1 and RFC 8037 §A.3 have examples; the former's is of an RSA key.
    @Test("thumbprints are those of the standard")
    func thumbprint() throws {
        let modulus =
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3o"
            + "knjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdA"
            + "ZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur"
            + "-kEgU8awapJzKnqDKgw"
        let key = JSONValue.object(["kty": .string("RSA"), "n": .string(modulus), "e": .string("AQAB")])
        let read = try #require(try JSONWebKey.publicKeys(key.encoded).first)
        #expect(read.thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
        #expect(read.id == read.thumbprint)
    }

    @Test("the public half shows nothing of the private one, and no key prints itself")
    func publicHalf() throws {
        let set = try #require(CardSet.foreign)
        for key in set.keys + [CardKey.generated(.p256), .generated(.x25519)] {
            guard case .object(let members) = key.publicKey.json else { throw CardSet.NotThere() }
            #expect(Set(members.keys).isDisjoint(with: ["d", "p", "q", "dp", "dq", "qi"]))
            if let secret = key.privateJSON?["d"]?.string {
                #expect(
                    !"\(key) \(String(reflecting: key)) \(Mirror(reflecting: key).children.map { "\($0)" })".contains(
                        secret
                    )
                )
            }
        }
        let ring = try CardKeyring(set.keys)
        #expect(ring.publicJSON["keys"].map { "\($0)" }?.contains("\"d\"") == false)
        let read = try JSONWebKey.publicKeys(ring.publicJSON.encoded)
        #expect(read.map(\.id) == ["p256", "x25519", "rsa"])
    }

    @Test("what is no private key for encryption is refused, by what is wrong with it")
    func refused() throws {
        let key = try #require(CardKey.generated(.p256).privateJSON)
        let other = try #require(CardKey.generated(.p256).privateJSON)
        let table: [(change: [String: JSONValue?], words: String)] = [
            (["d": nil as JSONValue?], "public key only"), (["kty": .string("oct")], "neither P-256"),
            (["crv": .string("P-521")], "neither P-256"), (["use": .string("sig")], "not for encryption"),
            (["d": .string("AAAA")], "not valid"), (["d": .string("=")], "readable d"), (["kid": .integer(1)], "kid"),
            (["kid": .string("")], "kid"), (["x": other["x"]], "do not belong together"),
        ]
        for row in table {
            guard case .object(var members) = key else { return }
            for (name, value) in row.change { members[name] = value }
            let problem = #expect(throws: CardKeyProblem.self, "\(row.words)") {
                try JSONWebKey.privateKeys(JSONValue.object(members).encoded)
            }
            #expect(problem?.description.contains(row.words) == true, "\(row.words): \(problem?.description ?? "")")
        }
        for text in ["", "[]", "{}", #"{"keys":[]}"#, #"{"keys":{}}"#, "nonsense"] {
            #expect(throws: CardKeyProblem.self) { try JSONWebKey.privateKeys(Array(text.utf8)) }
        }
    }

    @Test("two keys with one id are no ring")
    func ring() throws {
        let key = CardKey.generated(.p256)
        #expect(throws: CardKeyProblem.self) { try CardKeyring([key, key]) }
        let ring = try CardKeyring([key, .generated(.x25519)])
        #expect(ring[key.id]?.id == key.id)
        #expect(ring["another"] == nil)
    }

    @Test("base64url gives back what it was given, and takes nothing else")
    func base64URL() {
        for length in 0..<40 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0 ... .max) }
            #expect(Base64URL.decoded(Base64URL.encoded(bytes)) == bytes)
        }
        for text in ["A", "AB=", "AB==", "A+/A", "AB C", "AB", "ABC\n", "ä"] {
            #expect(Base64URL.decoded(text) == nil || Base64URL.encoded(Base64URL.decoded(text) ?? []) == text)
        }
        #expect(Base64URL.decoded("AB") == nil)
        #expect(Base64URL.decoded("AA") == [0])
        #expect(Base64URL.decoded("A") == nil)
    }
}

@Suite("Concat KDF", .timeLimit(.minutes(1)))
struct ConcatKDFTests {
    /// RFC 7518, Appendix C.
    @Test("Alice and Bob derive the key that the standard derives for them, both ways")
    func standard() throws {
        let alice = try key("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo")
        let bob = try key("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw")
        for (own, other) in [(alice, bob), (bob, alice)] {
            let secret = try own.sharedSecretFromKeyAgreement(with: other.publicKey)
            let derived = secret.withUnsafeBytes { secret in
                ConcatKDF.key(
                    secret: secret,
                    algorithm: "A128GCM",
                    partyU: Array("Alice".utf8),
                    partyV: Array("Bob".utf8),
                    bits: 128
                )
            }
            #expect(derived.withUnsafeBytes { Base64URL.encoded($0) } == "VqqN6vgjbSBcIijNcacQGg")
        }
    }

    @Test("the public keys are those of the standard")
    func publicKeys() throws {
        let alice = Array(try key("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo").publicKey.rawRepresentation)
        #expect(Base64URL.encoded(alice.prefix(32)) == "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0")
        #expect(Base64URL.encoded(alice.suffix(32)) == "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps")
    }

    private func key(_ secret: String) throws -> P256.KeyAgreement.PrivateKey {
        try P256.KeyAgreement.PrivateKey(rawRepresentation: try #require(Base64URL.decoded(secret)))
    }
}
