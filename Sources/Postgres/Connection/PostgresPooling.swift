/// What stands between a connection and the server.
package enum PostgresPooling: Sendable, Hashable {
    /// Nothing: the session is the server's own.
    case none
    /// A pooler that keeps count of prepared statements (PgBouncer from 1.21, with `max_prepared_statements`).
    case keepsPrepared
    /// A pooler that does not, or gives us a session of our own, which cannot be told: nothing is kept prepared.
    case forgetsPrepared
}
