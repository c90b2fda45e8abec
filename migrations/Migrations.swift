/// One file of this folder, compiled in, so that the binaries work from any directory.
package struct Migration: Hashable, Sendable {
    /// Its file name without the ending; the number in front gives the order.
    package let name: String
    package let sql: String

    package init(name: String, sql: String) {
        self.name = name
        self.sql = sql
    }

    /// The digits that its name begins with.
    package var number: Int { Self.number(of: name) }

    package static func number(of name: String) -> Int {
        Int(name.prefix { $0.isASCII && $0.isNumber }) ?? .max
    }

    /// The number of the migration with which a processor must be familiar, at least, to work with a schema that has this one;
    /// `nil` where it must know this one. From the head of the file: `-- compatible-from: 0007`.
    package var compatibleFrom: Int? { head("compatible-from").flatMap { Int($0.filter { !$0.isWhitespace }) } }

    /// An index that is built while others write to its table.
    package struct Index: Hashable, Sendable {
        package let name: String
        package let table: String
    }

    /// What it builds by one statement, `CREATE INDEX CONCURRENTLY IF NOT EXISTS`, which runs in no transaction; `nil` for
    /// every other migration. From the head of the file: `-- concurrently: payments_by_time ON payments`.
    package var concurrentIndex: Index? {
        guard let words = head("concurrently")?.split(separator: " "), words.count == 3, words[1] == "ON" else {
            return nil
        }
        return Index(name: String(words[0]), table: String(words[2]))
    }

    private func head(_ name: String) -> String? {
        for line in sql.split(separator: "\n", omittingEmptySubsequences: false).prefix(while: { $0.hasPrefix("--") }) {
            guard let value = line.firstRange(of: "-- \(name):") else { continue }
            return String(line[value.upperBound...])
        }
        return nil
    }
}

/// The schema, forward only: a change is a new file, its line here and in Package.swift. An applied file is never edited.
package enum Migrations {
    package static let all: [Migration] = [
        Migration(name: "0001_payments", bytes: PackageResources._001_payments_sql),
        Migration(name: "0002_dead_letters", bytes: PackageResources._002_dead_letters_sql),
        Migration(name: "0003_sweeps", bytes: PackageResources._003_sweeps_sql),
        Migration(name: "0004_ambiguous_sends", bytes: PackageResources._004_ambiguous_sends_sql),
        Migration(name: "0005_told", bytes: PackageResources._005_told_sql),
        Migration(name: "0006_room_for_updates", bytes: PackageResources._006_room_for_updates_sql),
        Migration(name: "0007_waiting_commands", bytes: PackageResources._007_waiting_commands_sql),
        Migration(name: "0008_unmatched_authorizations", bytes: PackageResources._008_unmatched_authorizations_sql),
        Migration(name: "0009_events_due", bytes: PackageResources._009_events_due_sql),
        Migration(name: "0010_reply_routes", bytes: PackageResources._010_reply_routes_sql),
        Migration(name: "0011_new_operations", bytes: PackageResources._011_new_operations_sql),
        Migration(name: "0012_collected_operations", bytes: PackageResources._012_collected_operations_sql),
        Migration(name: "0013_failed_fence", bytes: PackageResources._013_failed_fence_sql),
        Migration(name: "0014_reduced_cards", bytes: PackageResources._014_reduced_cards_sql),
        Migration(name: "0015_dead_letter_replays", bytes: PackageResources._015_dead_letter_replays_sql),
        Migration(name: "0016_payments_by_time", bytes: PackageResources._016_payments_by_time_sql),
        Migration(name: "0017_dead_letters_by_message", bytes: PackageResources._017_dead_letters_by_message_sql),
        Migration(name: "0018_operation_attempts", bytes: PackageResources._018_operation_attempts_sql),
        Migration(name: "0019_members", bytes: PackageResources._019_members_sql),
        Migration(name: "0020_sealed_cards", bytes: PackageResources._020_sealed_cards_sql),
        Migration(name: "0021_fingerprint_secrets", bytes: PackageResources._021_fingerprint_secrets_sql),
        Migration(name: "0022_awaited_replies", bytes: PackageResources._022_awaited_replies_sql),
        Migration(name: "0023_message_ids", bytes: PackageResources._023_message_ids_sql),
        Migration(name: "0024_operations_by_message", bytes: PackageResources._024_operations_by_message_sql),
        Migration(name: "0025_command_minutes", bytes: PackageResources._025_command_minutes_sql),
        Migration(name: "0026_standard_names", bytes: PackageResources._026_standard_names_sql),
    ]
}

extension Migration {
    fileprivate init(name: String, bytes: [UInt8]) {
        self.init(name: name, sql: String(decoding: bytes, as: UTF8.self))
    }
}
