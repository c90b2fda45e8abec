import Postgres

/// Why the schema is not what this version needs, and the way out.
enum MigrationError: Error, CustomStringConvertible {
    /// A file that was applied has been changed since.
    case edited(String)
    /// The database has a migration that this version does not know, and that is not marked as compatible with it.
    case newer(String, known: String)
    /// Migrations are missing, and this processor is not to apply them.
    case outdated([String])
    /// Migrations are missing, and the role may not apply them.
    case notAllowed([String])
    /// Processors still run that do not know the migration, and cannot work with it.
    case inUse(String, by: [String])
    case database(PostgresError)

    /// The database could not be reached: trying again later may help.
    var isRetriable: Bool {
        switch self {
        case .edited, .newer, .outdated, .notAllowed, .inUse: false
        case .database(let error): error.isRetriable
        }
    }

    var description: String {
        switch self {
        case .edited(let name):
            "migration \(name) was edited after it had been applied; restore the file and put the change into a new one"
        case .newer(let name, let known):
            "the database has migration \(name), which this version does not know (its newest is \(known)) and cannot work "
                + "with; install the processor that has migration \(name), or a newer one"
        case .outdated(let names):
            "the database schema lacks \(Self.list(names)); run `processor migrate` of this version with a role that owns the "
                + "schema, or set database.migrate (DATABASE_MIGRATE) to true"
        case .notAllowed(let names):
            "the database schema lacks \(Self.list(names)), and the role of database.url (DATABASE_URL) may not change the "
                + "schema; run `processor migrate` of this version with a role that owns it"
        case .inUse(let name, let processors):
            "migration \(name) cannot be applied while older processors run, which cannot work with it: "
                + "\(processors.joined(separator: ", ")); stop them first, or wait ten seconds after one was killed"
        case .database(let error):
            "the migration failed: \(error)"
        }
    }

    private static func list(_ names: [String]) -> String {
        (names.count == 1 ? "migration " : "migrations ") + names.joined(separator: ", ")
    }
}
