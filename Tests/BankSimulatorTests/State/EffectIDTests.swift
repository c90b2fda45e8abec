import Testing

@testable import BankSimulator

@Suite("Identifiers", .timeLimit(.minutes(1)))
struct EffectIDTests {
    @Test("a text is a lower-case UUID of version 4 with its prefix, and is read back", arguments: UInt64(0)..<50)
    func roundTrip(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let id = EffectID(using: &generator)
        let text = id.text(.capture)
        let pattern = #/cap_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/#
        #expect(text.wholeMatch(of: pattern) != nil)
        #expect(EffectID(text, .capture) == id)
        #expect(EffectID(text, .refund) == nil)
    }

    @Test(
        "anything else is no identifier",
        arguments: [
            "", "auth_", "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "auth_6f9619ff-8b86-4d01-b42d-00cf4fc964f",
            "auth_6f9619ff-8b86-4d01-b42d-00cf4fc964fff", "auth_6F9619FF-8B86-4D01-B42D-00CF4FC964FF",
            "auth_6f9619ff08b86-4d01-b42d-00cf4fc964ff", "auth_6f9619f--8b86-4d01-b42d-00cf4fc964ff",
            "auth_6f9619fg-8b86-4d01-b42d-00cf4fc964ff", "auth_ééééééééééééééééée",
        ]
    )
    func illFormed(text: String) {
        #expect(EffectID(text, .authorization) == nil)
    }
}
