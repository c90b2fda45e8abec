import Testing

@testable import Postgres

@Suite("Values in the binary format", .database, .timeLimit(.minutes(2)))
struct ValueRoundTripTests {
    @Test("scalars come back as they were sent, extremes included")
    func scalars() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(conninfo: TestServer.conninfo()))
        func echo(_ value: PostgresValue) async throws -> PostgresRow {
            try await connection.execute("SELECT $1", [value]).single()
        }
        for value in [true, false] {
            #expect(try await echo(.bool(value)).bool(0) == value)
        }
        for value in [Int32.min, -1, 0, 1, .max] {
            #expect(try await echo(.int4(value)).int32(0) == value)
            #expect(try await echo(.int4(value)).int64(0) == Int64(value))
        }
        for value in [Int64.min, -1, 0, 1, .max] {
            #expect(try await echo(.int8(value)).int64(0) == value)
        }
        for value in [0.0, -1.5, .greatestFiniteMagnitude, .infinity] {
            #expect(try await echo(.float8(value)).double(0) == value)
        }
        for value in ["", "plain", "žluťoučký kůň 馬 🐎", String(repeating: "é", count: 100_000)] {
            #expect(try await echo(.text(value)).text(0) == value)
        }
        for value in [[], [0], [UInt8](0...255), [UInt8](repeating: 0, count: 1 << 20)] {
            #expect(try await echo(.bytes(value)).bytes(0) == value)
        }
    }

    @Test("a uuid, an instant and a JSON text mean to the server what they mean here")
    func meaning() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(conninfo: TestServer.conninfo()))
        let uuid = try #require(PostgresUUID("00112233-4455-6677-8899-AABBCCDDEEFF"))
        let row = try await connection.execute(
            "SELECT $1::text AS uuid, $1 AS same, $2::text AS instant, $2 AS micros, $3 AS json, $3 ->> 'a' AS a",
            [.uuid(uuid), .timestamp(-1), .jsonb(#"{"a": "ü"}"#)]
        ).single()
        #expect(try row.text("uuid") == "00112233-4455-6677-8899-aabbccddeeff")
        #expect(try row.uuid("same") == uuid)
        #expect(try row.text("instant") == "1969-12-31 23:59:59.999999+00")
        #expect(try row.timestamp("micros") == -1)
        #expect(try row.jsonb("json") == #"{"a": "ü"}"#)
        #expect(try row.text("a") == "ü")
    }

    /// PostgreSQL's own last instant is thirty years later than Int64 reaches from 1970.
    @Test("the first instant of PostgreSQL and the last of Int64 come back")
    func instants() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(conninfo: TestServer.conninfo()))
        for text in ["4714-11-24 00:00:00+00 BC", "294247-01-10 04:00:54.775807+00", "1970-01-01 00:00:00+00"] {
            let sql = "SELECT '\(text)'::timestamptz AS at"
            let micros = try await connection.execute(sql).single().timestamp("at")
            let back = try await connection.execute("SELECT $1::text", [.timestamp(micros)]).single().text(0)
            #expect(back == text)
        }
    }

    @Test("null comes back as nil, whatever the type")
    func nulls() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(conninfo: TestServer.conninfo()))
        let row = try await connection.execute(
            """
            SELECT $1::bool b, $2::int4 i4, $3::int8 i8, $4::float8 f, $5::text t, $6::bytea y, $7::uuid u,
                   $8::timestamptz ts, $9::jsonb j, $10::text[] ta
            """,
            [PostgresValue](repeating: .null, count: 10)
        ).single()
        #expect(try row.optionalBool("b") == nil)
        #expect(try row.optionalInt32("i4") == nil)
        #expect(try row.optionalInt64("i8") == nil)
        #expect(try row.optionalDouble("f") == nil)
        #expect(try row.optionalText("t") == nil)
        #expect(try row.optionalBytes("y") == nil)
        #expect(try row.optionalUUID("u") == nil)
        #expect(try row.optionalTimestamp("ts") == nil)
        #expect(try row.optionalJSONB("j") == nil)
        #expect(try row.optionalTextArray("ta") == nil)
        #expect(try row.isNull("t"))
        #expect(throws: PostgresError.self) { try row.text("t") }
    }

    @Test("arrays come back with their nulls, and empty ones empty")
    func arrays() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(conninfo: TestServer.conninfo()))
        let uuid = PostgresUUID(high: .max, low: 1)
        let sql = "SELECT $1 b, $2 i4, $3 i8, $4 f, $5 t, $6 y, $7 u, $8 ts, $9 j"
        let row = try await connection.execute(
            sql,
            [
                .boolArray([true, nil, false]), .int4Array([.min, nil]), .int8Array([nil, .max]),
                .float8Array([nil, 2]),
                .textArray(["", nil, "ü\"{},\\", "NULL"]), .bytesArray([[], nil, [0, 255]]), .uuidArray([nil, uuid]),
                .timestampArray([0, nil]), .jsonbArray([nil, "[]"]),
            ]
        ).single()
        #expect(try row.boolArray("b") == [true, nil, false])
        #expect(try row.int32Array("i4") == [.min, nil])
        #expect(try row.int64Array("i8") == [nil, .max])
        #expect(try row.doubleArray("f") == [nil, 2])
        #expect(try row.textArray("t") == ["", nil, "ü\"{},\\", "NULL"])
        #expect(try row.bytesArray("y") == [[], nil, [0, 255]])
        #expect(try row.uuidArray("u") == [nil, uuid])
        #expect(try row.timestampArray("ts") == [0, nil])
        #expect(try row.jsonbArray("j") == [nil, "[]"])

        let empty = try await connection.execute(
            sql,
            [
                .boolArray([]), .int4Array([]), .int8Array([]), .float8Array([]), .textArray([]), .bytesArray([]),
                .uuidArray([]), .timestampArray([]), .jsonbArray([]),
            ]
        ).single()
        #expect(try empty.boolArray("b").isEmpty)
        #expect(try empty.textArray("t").isEmpty)
        #expect(try empty.uuidArray("u").isEmpty)
        #expect(try empty.jsonbArray("j").isEmpty)
    }

    @Test("256 rows of parallel arrays go through unnest and come back in order")
    func unnest() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(conninfo: TestServer.conninfo()))
        let ids = (0..<256).map { PostgresUUID(high: 7, low: UInt64($0)) }
        let texts = (0..<256).map { $0 % 3 == 0 ? nil : "text \($0)" }
        let result = try await connection.execute(
            "SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[]) WITH ORDINALITY AS u (id, t, n, o) ORDER BY o",
            [.uuidArray(ids), .textArray(texts), .int8Array((0..<256).map { Int64($0) })]
        )
        let id = try result.column("id")
        #expect(result.count == 256)
        #expect(result.affectedRows == 256)
        #expect(try result.map { try $0.uuid(id) } == ids)
        #expect(try result.map { try $0.optionalText("t") } == texts)
        #expect(try result.map { try $0.int64("n") } == (0..<256).map { Int64($0) })
    }

    @Test("an enum of the schema is read as text")
    func enums() async throws {
        try await TestSchema.with { schema in
            let connection = try await schema.connect()
            try await connection.executeScript("CREATE TYPE mood AS ENUM ('fine', 'so-so')")
            let row = try await connection.execute(
                "SELECT $1::mood AS mood, ARRAY[$1::mood, NULL] AS moods",
                [.text("so-so")]
            ).single()
            #expect(try row.text("mood") == "so-so")
            #expect(try row.textArray("moods") == ["so-so", nil])
        }
    }
}

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
