/// How a transaction sees the work of others, and whether it may write.
package struct PostgresTransactionMode: Sendable, Hashable {
    package enum Isolation: String, Sendable, Hashable {
        case readCommitted = "READ COMMITTED"
        case repeatableRead = "REPEATABLE READ"
        case serializable = "SERIALIZABLE"
    }

    package let isolation: Isolation
    package let isReadOnly: Bool

    package init(_ isolation: Isolation, isReadOnly: Bool = false) {
        self.isolation = isolation
        self.isReadOnly = isReadOnly
    }

    package static let readCommitted = PostgresTransactionMode(.readCommitted)
    package static let repeatableRead = PostgresTransactionMode(.repeatableRead)
    package static let serializable = PostgresTransactionMode(.serializable)
    /// Several reads of one state.
    package static let snapshot = PostgresTransactionMode(.repeatableRead, isReadOnly: true)

    /// The isolation is said outright, so that no default changes it; READ WRITE is not, for a server that is read-only
    /// by default is so because somebody took it out of service.
    var begin: String {
        "BEGIN ISOLATION LEVEL \(isolation.rawValue)\(isReadOnly ? " READ ONLY" : "")"
    }
}
