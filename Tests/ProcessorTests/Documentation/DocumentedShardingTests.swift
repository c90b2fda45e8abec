import Postgres
import TestSupport
import Testing

@testable import Processor

/// docs/sharding.sql against the schema.
@Suite("The documented sharding", .timeLimit(.minutes(2)))
struct DocumentedShardingTests {
    /// The rules of Citus that concern a table's declaration, in the place of the functions that it comes with.
    private static let rules = """
        CREATE TABLE placed (name text PRIMARY KEY);
        CREATE FUNCTION citus_add_local_table_to_metadata(named regclass) RETURNS void LANGUAGE sql AS
            'INSERT INTO placed VALUES (named::text)';
        CREATE FUNCTION create_distributed_table(named regclass, by_column text, colocate_with text DEFAULT 'default')
        RETURNS void LANGUAGE plpgsql AS $$
        DECLARE culprit text;
        BEGIN
            SELECT indexrelid::regclass INTO culprit FROM pg_index JOIN pg_attribute a
                ON a.attrelid = indrelid AND a.attname = by_column
            WHERE indrelid = named AND indisunique AND NOT a.attnum = ANY (indkey) LIMIT 1;
            IF FOUND THEN RAISE EXCEPTION '% is unique without %', culprit, by_column; END IF;
            PERFORM FROM pg_attribute WHERE attrelid = named AND attname = by_column;
            IF NOT FOUND THEN RAISE EXCEPTION '% has no %', named, by_column; END IF;
            PERFORM FROM pg_trigger WHERE tgrelid = named AND NOT tgisinternal;
            IF FOUND THEN RAISE EXCEPTION '% has a trigger', named; END IF;
            INSERT INTO placed VALUES (named::text);
        END $$;
        """

    @Test("places every table once, and keeps the rule that a unique constraint contains the distribution column")
    func everyTable() async throws {
        let sql = ScratchDirectory.read("\(DocumentationPage.root)/docs/sharding.sql")
        try #require(!sql.isEmpty)
        try await TestDatabase.with { pools in
            let isComplete = try await pools.queries.withConnection { connection throws(PostgresError) in
                try connection.executeScript(Self.rules)
                try connection.executeScript(sql)
                return try connection.execute(
                    """
                    SELECT NOT EXISTS (SELECT FROM information_schema.tables
                    WHERE table_schema = current_schema AND table_name <> 'placed'
                        AND table_name NOT IN (SELECT name FROM placed))
                    """
                ).single().bool(0)
            }
            #expect(isComplete, "a table is not in docs/sharding.sql")
        }
    }

    @Test("the rules notice a unique constraint without the distribution column, and a trigger")
    func rules() async throws {
        try await TestDatabase.with { pools in
            try await pools.queries.withConnection { connection throws(PostgresError) in
                try connection.executeScript(Self.rules)
            }
            for table in ["outbox", "operations"] {
                let error = await #expect(throws: PostgresError.self) {
                    try await pools.queries.withConnection { connection throws(PostgresError) in
                        try connection.executeScript("SELECT create_distributed_table('\(table)', 'payment_id')")
                    }
                }
                #expect(error?.sqlState?.code == "P0001", "\(table)")
            }
        }
    }
}
