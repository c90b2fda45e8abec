import Core
import Postgres

/// A page of a list of payments: its columns are those of `PaymentRow`, the payment's time in the list as `place`, and for possible
/// orphans their `grade`. One row more than asked for tells whether there is another page.
struct PaymentListStatement: Sendable {
    let sql: String
    let parameters: [PostgresValue]
    let tellsOrphans: Bool

    init(_ query: PaymentQuery) {
        var parameters: [PostgresValue] = [
            .optional(query.merchantID?.description, PostgresValue.text),
            .optional(query.after?.at.microseconds, PostgresValue.timestamp),
            .optional(query.after.map { PostgresUUID($0.id.value) }, PostgresValue.uuid),
            .int8(Int64(query.limit + 1)),
        ]
        switch query.selection {
        case .order(let id):
            sql = Self.byColumn("order_id")
            parameters.append(.text(id))
            tellsOrphans = false
        case .customer(let id):
            sql = Self.byColumn("customer_id")
            parameters.append(.text(id))
            tellsOrphans = false
        case .possibleOrphans:
            sql = Self.possibleOrphans
            tellsOrphans = true
        }
        self.parameters = parameters
    }

    private static func byColumn(_ column: String) -> String {
        """
        SELECT \(PaymentRow.columns), created_at AS place FROM payments
        WHERE \(column) = $5 AND ($1::text IS NULL OR merchant_id = $1)
            AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::uuid))
        ORDER BY created_at DESC, id DESC
        LIMIT $4
        """
    }

    private static let possibleOrphans = """
        SELECT \(PaymentRow.columns), at AS place, grade FROM possible_orphans JOIN payments ON id = payment_id
        WHERE ($1::text IS NULL OR merchant_id = $1)
            AND ($2::timestamptz IS NULL OR (at, payment_id) < ($2, $3::uuid))
        ORDER BY at DESC, payment_id DESC
        LIMIT $4
        """
}
