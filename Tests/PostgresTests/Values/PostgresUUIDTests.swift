import Testing

@testable import Postgres

@Suite("A UUID")
struct PostgresUUIDTests {
    @Test("is read in either case and written in lower case")
    func text() throws {
        let uuid = try #require(PostgresUUID("0123ABCD-ef01-2345-6789-abcdefFEDCBA"))
        #expect(uuid.high == 0x0123_abcd_ef01_2345)
        #expect(uuid.low == 0x6789_abcd_effe_dcba)
        #expect(uuid.description == "0123abcd-ef01-2345-6789-abcdeffedcba")
    }

    @Test(
        "is nothing else",
        arguments: [
            "", "0123abcd", "0123abcdef0123456789abcdeffedcba", "0123abcd-ef01-2345-6789-abcdeffedcb",
            "0123abcd-ef01-2345-6789-abcdeffedcba0", "{0123abcd-ef01-2345-6789-abcdeffedcba}",
            "0123abcd-ef01-2345-6789-abcdeffedcbg", "0123abcd+ef01-2345-6789-abcdeffedcba",
        ]
    )
    func malformed(text: String) {
        #expect(PostgresUUID(text) == nil)
    }

    @Test("is ordered by its bytes")
    func order() {
        #expect(PostgresUUID(high: 0, low: .max) < PostgresUUID(high: 1, low: 0))
        #expect(PostgresUUID(high: 1 << 63, low: 0) > PostgresUUID(high: 1, low: 0))
        #expect(PostgresUUID(high: 1, low: 2) < PostgresUUID(high: 1, low: 3))
    }
}
