import Postgres

/// Why the schema is not what this version needs, and the way out.
enum MigrationError: Error, CustomStringConvertible {
    /// A file that was applied has been changed since.
    case edited(String)
    /// The database has a migration that this version does not know.
    case newer(String)
    case database(PostgresError)

    /// The database could not be reached: trying again later may help.
    var isRetriable: Bool {
        switch self {
        case .edited, .newer: false
        case .database(let error): error.isRetriable
        }
    }

    var description: String {
        switch self {
        case .edited(let name):
            "migration \(name) was edited after it had been applied; restore the file and put the change into a new one"
        case .newer(let name):
            "the database has migration \(name), which this version does not know; run the newer processor"
        case .database(let error):
            "the migration failed: \(error)"
        }
    }
}
