import Core
import Crypto
import Testing

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
