import Core
import Postgres

/// How it is read whether a payment is a possible orphan: from the table `possible_orphans`, beside the columns of the payment.
enum OrphanRow {
    /// - Returns: `nil` where the payment has no row in that table.
    static func grade(from row: PostgresRow) throws(PostgresError) -> PossibleOrphan? {
        try row.isNull("grade") ? nil : try row.parsed("grade", PossibleOrphan.init(rawValue:))
    }
}
