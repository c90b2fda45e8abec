import AMQP
import Core
import HTTPClient
import TestSupport
import Testing

/// Looks for card numbers and CVVs wherever the processor writes: tables, logs, metrics
/// (docs/correctness.md#no-card-data-at-rest).
struct CardDataSearch {
    private let world: World
    private let numbers: [String]
    private let words = TestCard.all.map(\.cvv)

    /// `numbers` are looked for beside those of the test cards.
    init(_ world: World, numbers: [String] = []) {
        self.world = world
        self.numbers = TestCard.all.map(\.number) + numbers
    }

    func run() async throws {
        for (place, text) in try await tables() + logs + metrics() {
            #expect(findings(in: text) == [], "card data in \(place)")
        }
    }

    /// All of every table. Bytes count as the texts that they are, but for digests and the numbers of bytes that
    /// are no text: any three digits turn up in those. Numbers of transactions, rows and runs may come to any three digits too.
    private func tables() async throws -> [(String, String)] {
        let columns = try await world.database.rows(
            """
            SELECT table_name, string_agg(
                CASE data_type WHEN 'bytea' THEN
                    format(
                        'CASE WHEN octet_length(%1$I) <> 32 THEN regexp_replace(encode(%1$I, ''escape''), %2$L, ''?'', ''g'') END',
                        column_name, '\\\\[0-9]{3}'
                    )
                ELSE format('%I::text', column_name) END, ', ') AS list
            FROM information_schema.columns
            WHERE table_schema = 'public' AND data_type <> 'xid8'
                AND (table_name, data_type) NOT IN (
                    ('outbox', 'bigint'), ('sweep_runs', 'bigint'), ('new_operations', 'bigint'),
                    ('waiting_commands', 'bigint'), ('dead_letter_replays', 'bigint'),
                    ('dead_letter_replay_items', 'integer')
                )
            GROUP BY table_name
            """
        )
        #expect(columns.count >= 4)
        var texts: [(String, String)] = []
        for table in columns {
            let name = table["table_name"]?.string ?? ""
            let rows = try await world.database.rows(
                "SELECT concat_ws(' | ', \(table["list"]?.string ?? "")) AS line FROM \(name)"
            )
            texts.append(("table \(name)", rows.map { $0["line"]?.string ?? "" }.joined(separator: "\n")))
        }
        return texts
    }

    /// Without their counts, which may come to any three digits.
    private var logs: [(String, String)] {
        world.allProcessors.map { processor in
            let text = processor.child.standardOutput + "\n" + processor.log
            let counts = /\s(count|selected|replayed|skipped|failed)=\d+/
            return ("the output of a processor", text.replacing(counts, with: ""))
        }
    }

    private func metrics() async throws -> [(String, String)] {
        var texts: [(String, String)] = []
        for processor in world.allProcessors where processor.child.isRunning {
            let web = try await processor.admin()
            let text = String(decoding: try await web.send(.get, "/metrics").body, as: UTF8.self)
            // The values are counts too.
            let names = text.split(separator: "\n").map { $0.split(separator: " ").dropLast().joined(separator: " ") }
            texts.append(("the metrics", names.joined(separator: "\n")))
            await web.shutdown()
        }
        return texts
    }

    /// A number counts anywhere, a CVV only as a word of its own: its three digits are part of many a time and id.
    private func findings(in text: String) -> [String] {
        text.split(separator: "\n").flatMap { line in
            let found = numbers.filter { line.contains($0) } + words.filter { Self.hasWord($0, in: line) }
            return found.map { "\($0): \(line)" }
        }
    }

    private static func hasWord(_ word: String, in line: Substring) -> Bool {
        line.ranges(of: word).contains { range in
            let before = range.lowerBound > line.startIndex ? line[line.index(before: range.lowerBound)] : " "
            let after = range.upperBound < line.endIndex ? line[range.upperBound] : " "
            return !isPartOfWord(before) && !isPartOfWord(after)
        }
    }

    private static func isPartOfWord(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || ".-_".contains(character)
    }
}
