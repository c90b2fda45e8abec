import Core
import Simulation
import Testing

@Suite("Unique id", .timeLimit(.minutes(1)))
struct UniqueIDTests {
    @Test("reads either case, writes lower case")
    func text() throws {
        let id = try #require(UniqueID("0190C3A1-7b2d-7C3e-8f4a-123456789aBc"))
        #expect(id.high == 0x0190_c3a1_7b2d_7c3e)
        #expect(id.low == 0x8f4a_1234_5678_9abc)
        #expect(id.description == "0190c3a1-7b2d-7c3e-8f4a-123456789abc")
        #expect(UniqueID("ffffffff-ffff-ffff-ffff-ffffffffffff")?.high == .max)
        #expect(UniqueID("00000000-0000-0000-0000-000000000000")?.low == 0)
    }

    @Test(
        "refuses anything else",
        arguments: [
            "", "0190c3a1", "0190c3a17b2d7c3e8f4a123456789abc", "0190c3a1-7b2d-7c3e-8f4a-123456789ab",
            "0190c3a1-7b2d-7c3e-8f4a-123456789abcd", "0190c3a1-7b2d-7c3e-8f4a_123456789abc",
            "0190c3a1-7b2d-7c3e-8f4a123456789-abc", "g190c3a1-7b2d-7c3e-8f4a-123456789abc",
            "{0190c3a1-7b2d-7c3e-8f4a-123456789abc}", "urn:uuid:0190c3a1-7b2d-7c3e-8f4a-123456789abc",
            "0190c3a1-7b2d-7c3e-8f4a-123456789abc\n", "------------------------------------",
            "0190c3a1-7b2d-7c3e-8f4a-12345678９abc",
        ]
    )
    func refuses(text: String) {
        #expect(UniqueID(text) == nil)
    }

    @Test("what it writes it reads")
    func roundTrip() {
        var generator = SplitMix64(seed: 2)
        let ids = (0..<5_000).map { _ in UniqueID(high: generator.next(), low: generator.next()) }
        #expect(ids.allSatisfy { UniqueID($0.description) == $0 })
        #expect(ids.allSatisfy { $0.description.utf8.count == 36 })
    }

    @Test("version 7 is ordered by time, and marked as what it is")
    func version7() {
        let early = UniqueID.version7(milliseconds: 1_700_000_000_000, random: (.max, .max))
        let late = UniqueID.version7(milliseconds: 1_700_000_000_001, random: (0, 0))
        #expect(early < late)
        #expect(early.description < late.description)
        #expect(early.description.hasPrefix("018bcfe5-6800-7"))
        #expect(early.low >> 62 == 0b10)
        #expect(late.low >> 62 == 0b10)
        let time = Timestamp(microseconds: 1_700_000_000_000_999)
        #expect(SeededRandom(seed: 1).identifier(at: time).high >> 16 == 1_700_000_000_000)
        #expect(SeededRandom(seed: 1).identifier(at: Timestamp(microseconds: -5)).high >> 16 == 0)
    }
}
