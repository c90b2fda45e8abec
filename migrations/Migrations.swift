/// One file of this folder, compiled in, so that the binaries work from any directory.
package struct Migration: Hashable, Sendable {
    /// Its file name without the ending; the number in front gives the order.
    package let name: String
    package let sql: String

    package init(name: String, sql: String) {
        self.name = name
        self.sql = sql
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
    ]
}

extension Migration {
    fileprivate init(name: String, bytes: [UInt8]) {
        self.init(name: name, sql: String(decoding: bytes, as: UTF8.self))
    }
}
