import Core
import Simulation
import Testing

@Suite("Timestamp", .timeLimit(.minutes(1)))
struct TimestampTests {
    @Test(
        "reads RFC 3339, with any offset, to the microsecond",
        arguments: [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:00.000001Z", 1),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("2001-09-09T01:46:40Z", 1_000_000_000_000_000),
            ("2001-09-09t01:46:40z", 1_000_000_000_000_000),
            ("2001-09-09 01:46:40Z", 1_000_000_000_000_000),
            ("2001-09-09T03:46:40+02:00", 1_000_000_000_000_000),
            ("2001-09-08T20:16:40-05:30", 1_000_000_000_000_000),
            ("2001-09-09T01:46:40-00:00", 1_000_000_000_000_000),
            ("2001-09-09T01:46:40.1Z", 1_000_000_000_100_000),
            ("2001-09-09T01:46:40.123456789Z", 1_000_000_000_123_456),
            ("2001-09-09T01:46:40.999999999999999999999Z", 1_000_000_000_999_999),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
            ("1900-03-01T00:00:00Z", -2_203_891_200_000_000),
            ("2100-02-28T00:00:00Z", 4_107_456_000_000_000),
            ("2100-03-01T00:00:00Z", 4_107_542_400_000_000),
            ("2016-12-31T23:59:60Z", 1_483_228_799_000_000),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ] as [(String, Int64)]
    )
    func reads(text: String, microseconds: Int64) {
        #expect(Timestamp(text)?.microseconds == microseconds)
    }

    @Test(
        "refuses anything else",
        arguments: [
            "", "2030", "2030-01-31", "2030-01-31T12:00:00", "2030-01-31T12:00Z", "2030-01-31T12:00:00+2:00",
            "2030-01-31T12:00:00+0200", "2030-01-31T12:00:00.Z", "2030-01-31T12:00:00,5Z", "30-01-31T12:00:00Z",
            "2030-1-31T12:00:00Z", "2030-13-01T12:00:00Z", "2030-00-01T12:00:00Z", "2030-01-32T12:00:00Z",
            "2030-01-00T12:00:00Z", "2030-04-31T12:00:00Z", "2023-02-29T12:00:00Z", "1900-02-29T12:00:00Z",
            "2100-02-29T12:00:00Z", "2030-01-31T24:00:00Z", "2030-01-31T12:60:00Z", "2030-01-31T12:00:61Z",
            "2030-01-31T12:00:00+24:00", "2030-01-31T12:00:00+02:60", "2030-01-31T12:00:00Z ", " 2030-01-31T12:00:00Z",
            "2030-01-31T12:00:00ZZ", "0000-01-01T00:00:00Z", "-030-01-31T12:00:00Z", "+2030-01-31T12:00:00Z",
            "2030-01-31_12:00:00Z", "2030/01/31T12:00:00Z", "２030-01-31T12:00:00Z", "2030-01-31T12:00:00\u{2212}02:00",
        ]
    )
    func refuses(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test(
        "is written in UTC with six digits",
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.999999Z"),
            (1_000_000_000_123_456, "2001-09-09T01:46:40.123456Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
            (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
        ] as [(Int64, String)]
    )
    func writes(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).description == text)
    }

    @Test("what it writes it reads, over every day of some decades and at random instants")
    func roundTrip() {
        let days = (Int64(-1_000)..<20_000).map { Timestamp(microseconds: $0 * 86_400_000_000 + 1) }
        #expect(days.first { Timestamp($0.description) != $0 } == nil)
        #expect(zip(days, days.dropFirst()).first { $0.description >= $1.description } == nil)
        var generator = SplitMix64(seed: 1)
        let random = (0..<4_000).map { _ in
            Timestamp(microseconds: .random(in: -62_135_596_800_000_000...253_402_300_799_999_999, using: &generator))
        }
        #expect(random.first { Timestamp($0.description) != $0 } == nil)
    }

    @Test("any instant can be written, even one that no date has")
    func total() {
        for microseconds in [Int64.min, .min + 1, -62_167_219_200_000_001, 253_402_300_800_000_000, .max] {
            #expect(Timestamp(microseconds: microseconds).description.utf8.count == 27)
        }
    }

    @Test("a difference is total")
    func difference() {
        let time = Timestamp(microseconds: 5)
        #expect(time.duration(to: Timestamp(microseconds: 1_000_005)) == .seconds(1))
        #expect(Timestamp(microseconds: 1_000_005).duration(to: time) == .seconds(-1))
        let (first, last) = (Timestamp(microseconds: .min), Timestamp(microseconds: .max))
        #expect(first.duration(to: last) == .microseconds(Int64.max))
        #expect(last.duration(to: first) == .microseconds(Int64.min))
    }
}
