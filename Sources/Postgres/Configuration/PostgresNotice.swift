/// A notice or warning of the server, without its text, which may quote data.
package struct PostgresNotice: Sendable, Hashable {
    /// `NOTICE`, `WARNING`, `LOG` and so on.
    package let severity: String
    package let sqlState: SQLState?
}
