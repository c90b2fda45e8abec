import Testing

@testable import BankSimulator

@Suite("Instants as text", .timeLimit(.minutes(1)))
struct TimestampTests {
    @Test(
        "RFC 3339 and the Date header agree with the calendar",
        arguments: [
            (0, "1970-01-01T00:00:00.000000000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (-1, "1969-12-31T23:59:59.999999999Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
            (784_111_777_000_000_001, "1994-11-06T08:49:37.000000001Z", "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_767_323_045_123_456_789, "2026-01-02T03:04:05.123456789Z", "Fri, 02 Jan 2026 03:04:05 GMT"),
            (1_924_991_999_999_999_999, "2030-12-31T23:59:59.999999999Z", "Tue, 31 Dec 2030 23:59:59 GMT"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z", "Mon, 01 Mar 2100 00:00:00 GMT"),
        ] as [(Int64, String, String)]
    )
    func text(nanoseconds: Int64, rfc3339: String, httpDate: String) {
        let timestamp = Timestamp(nanoseconds: nanoseconds)
        #expect(timestamp.rfc3339(.nanoseconds) == rfc3339)
        #expect(timestamp.rfc3339(.microseconds) == String(rfc3339.dropLast(4)) + "Z")
        #expect(timestamp.httpDate == httpDate)
    }
}
