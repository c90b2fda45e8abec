import Testing

@testable import Postgres

@Suite("What cannot be read or sent", .database, .timeLimit(.minutes(2)))
struct DecodingErrorTests {
    @Test(
        "is a decoding error, not a trap",
        arguments: [
            ("SELECT 'x'::text AS c", "column c is of type 25, not bigint"),
            ("SELECT 1.5::numeric AS c", "column c is of type 1700, not bigint"),
            ("SELECT NULL::int8 AS c", "column c is null"),
            ("SELECT 1::int8 AS d", "no column c"),
        ]
    )
    func wrongColumn(sql: String, reason: String) async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(conninfo: TestServer.conninfo()))
        let row = try await connection.execute(sql).single()
        let error = await postgresError { try row.int64("c") }
        #expect(error?.code == .decoding)
        #expect(error?.reason == reason)
    }

    @Test("includes an infinite instant, an array of two dimensions, and a position that does not exist")
    func unrepresentable() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(conninfo: TestServer.conninfo()))
        let row = try await connection.execute(
            "SELECT 'infinity'::timestamptz AS late, '-infinity'::timestamptz AS early, '{{1},{2}}'::int8[] AS table"
        ).single()
        #expect(await postgresError { try row.timestamp("late") }?.code == .decoding)
        #expect(await postgresError { try row.timestamp("early") }?.code == .decoding)
        #expect(await postgresError { try row.int64Array("table") }?.code == .decoding)
        #expect(await postgresError { try row.text(3) }?.code == .decoding)
        #expect(await postgresError { try row.text(-1) }?.code == .decoding)
    }

    @Test("one row is asked for and there are none, or two")
    func single() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(conninfo: TestServer.conninfo()))
        for count in [0, 2] {
            let result = try await connection.execute("SELECT generate_series(1, $1)", [.int4(Int32(count))])
            #expect(await postgresError { try result.single() }?.code == .decoding)
        }
    }

    @Test("bytes that lie about their length are refused, whatever they are")
    func hostileArrays() {
        var whole: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 25, 0, 0, 0, 3, 0, 0, 0, 1]
        whole += [0, 0, 0, 1, 65, 255, 255, 255, 255, 0, 0, 0, 2, 66, 67]
        #expect(whole.withUnsafeBytes { ArrayFormat<TextFormat>.decode($0) } == ["A", nil, "BC"])
        #expect((whole + [0]).withUnsafeBytes { ArrayFormat<TextFormat>.decode($0) } == nil)
        var generator = SplitMix(state: 1)
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: .min ... .max, using: &generator)
            }
            bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator))
            // Every element has at least its length.
            if let values = bytes.withUnsafeBytes({ ArrayFormat<TextFormat>.decode($0) }) {
                #expect(values.count <= bytes.count / 4)
            }
        }
    }

    @Test("a parameter that PostgreSQL cannot hold is refused before anything is sent")
    func parameters() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(conninfo: TestServer.conninfo()))
        for value in [PostgresValue.timestamp(.min), .timestampArray([nil, .min])] {
            #expect(
                await postgresError { try await connection.execute("SELECT $1", [value]) }?.code == .invalidParameter
            )
        }
        let many = [PostgresValue](repeating: .null, count: 65_536)
        #expect(await postgresError { try await connection.execute("SELECT 1", many) }?.code == .invalidParameter)
        #expect(await postgresError { try await connection.execute("SELECT 1\0") }?.code == .invalidParameter)
        #expect(try await connection.execute("SELECT 1 AS one").single().int32("one") == 1)
    }

    @Test("text with a null character is refused by the server, and the connection goes on")
    func nullCharacter() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(conninfo: TestServer.conninfo()))
        let error = await postgresError { try await connection.execute("SELECT $1", [.text("a\0b")]) }
        #expect(error?.sqlState == "22021")
        #expect(try await connection.execute("SELECT $1", [.text("ab")]).single().text(0) == "ab")
    }
}

/// Steele, Lea and Flood's generator: the same bytes for the same seed.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
