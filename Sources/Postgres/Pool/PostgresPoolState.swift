/// Whether the pool can serve, for `/readyz` and the log.
package enum PostgresPoolState: Sendable, Hashable {
    /// No connection has been made or has failed yet.
    case starting
    /// At least one connection is open.
    case up
    /// None is open; with the last failure.
    case down(PostgresError)
    case closed
}
