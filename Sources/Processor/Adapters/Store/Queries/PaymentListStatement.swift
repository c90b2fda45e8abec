import Core
import Postgres

/// A page of a list of payments: its columns are those of `PaymentRow`, the payment's time in the list as `place`, and for possible
/// orphans their `grade`. One row more than asked for tells whether there is another page.
///
/// However many payments there are, a page costs little: an index leads to each payment by its ids. A list that is walked in the order of
/// time is walked no further than `reach`, however few of the payments match; where it broke off, `end` tells.
struct PaymentListStatement: Sendable {
    let sql: String
    private(set) var parameters: [PostgresValue] = []
    let gradesOrphans: Bool
    /// Where the walk ended, as `place` and `id`: a row only where there is more behind. `nil` where the list itself is complete.
    private(set) var end: PostgresStatement?

    /// How many payments are read for a page.
    static let reach = 10_000

    init(_ query: PaymentQuery, reach: Int = Self.reach) {
        let filter = query.filter
        var values = Values()
        // What leads to the payments, or goes along with the order of the list.
        var walk = Conditions()
        // What is checked row by row.
        var rest = Conditions()
        if let ids = Self.ids(filter, query.merchantID, &values) { walk.add(ids) }
        if let order = filter.orderID { walk.add("order_id = \(values.add(.text(order)))") }
        if let customer = filter.customerID {
            let condition = "customer_id = \(values.add(.text(customer)))"
            if filter.orderID == nil { walk.add(condition) } else { rest.add(condition) }
        }
        if let since = filter.since { walk.add("created_at >= \(values.add(.timestamp(since.microseconds)))") }
        if let until = filter.until { walk.add("created_at < \(values.add(.timestamp(until.microseconds)))") }
        let (place, id) = filter.isPossibleOrphans ? ("at", "payment_id") : ("created_at", "id")
        if let after = query.after {
            let time = values.add(.timestamp(after.at.microseconds))
            walk.add("(\(place), \(id)) < (\(time), \(values.add(.uuid(PostgresUUID(after.id.value)))))")
        }
        // All that the walk needs: the parameters of `end`.
        let walkParameters = values.all
        if let merchant = query.merchantID { rest.add("merchant_id = \(values.add(.text(merchant.description)))") }
        if let status = filter.status { rest.add("status = \(values.add(.text(status.rawValue)))") }

        let source = filter.isPossibleOrphans ? "possible_orphans JOIN payments ON id = payment_id" : "payments"
        let order = "ORDER BY \(place) DESC, \(id) DESC"
        let columns = "\(PaymentRow.columns), \(place) AS place\(filter.isPossibleOrphans ? ", grade" : "")"
        sql = """
            SELECT * FROM (
                SELECT \(columns) FROM \(source) \(walk.clause) \(order) LIMIT \(reach)
            ) AS walked \(rest.clause) LIMIT \(values.add(.int8(Int64(query.limit + 1))))
            """
        parameters = values.all
        gradesOrphans = filter.isPossibleOrphans
        if !rest.isEmpty {
            end = PostgresStatement(
                """
                SELECT place, id FROM (
                    SELECT \(place) AS place, \(id) AS id FROM \(source) \(walk.clause) \(order) LIMIT 2 OFFSET \(reach - 1)
                ) AS walked ORDER BY place DESC, id DESC
                """,
                walkParameters
            )
        }
    }

    /// The few payments that an id of something else leads to.
    private static func ids(_ filter: PaymentFilter, _ merchant: MerchantID?, _ values: inout Values) -> String? {
        var sources: [String] = []
        if let bankID = filter.bankID {
            sources.append("SELECT payment_id FROM bank_effects WHERE bank_id = \(values.add(.text(bankID)))")
        }
        if let key = filter.idempotencyKey {
            let key = values.add(.text(key.description))
            if let merchant {
                let merchant = values.add(.text(merchant.description))
                sources.append(
                    "SELECT payment_id FROM operations WHERE merchant_id = \(merchant) AND idempotency_key = \(key)"
                )
            } else {
                sources.append("\(everyMerchant) AND o.idempotency_key = \(key)")
            }
        }
        if let messageID = filter.messageID {
            let message = values.add(.text(messageID))
            let hash = values.add(.int8(MessageSlot.hash(messageID)))
            sources.append(
                """
                SELECT payment_id FROM waiting_commands WHERE message_id = \(message)
                UNION SELECT payment_id FROM dead_letters WHERE message_id = \(message)
                UNION \(MessageSlot.payments(message, hash))
                """
            )
        }
        guard !sources.isEmpty else { return nil }
        // An array, so that they are found first, whatever the server believes about the size of its tables.
        return sources.map { "id = ANY (ARRAY(\($0)))" }.joined(separator: " AND ")
    }

    /// The key of operations begins with the merchant: one step of the index for each that there is.
    private static let everyMerchant = """
        WITH RECURSIVE merchants AS (
            (SELECT merchant_id FROM operations ORDER BY merchant_id LIMIT 1)
            UNION ALL
            SELECT (SELECT o.merchant_id FROM operations o WHERE o.merchant_id > m.merchant_id ORDER BY o.merchant_id LIMIT 1)
            FROM merchants m WHERE m.merchant_id IS NOT NULL
        )
        SELECT o.payment_id FROM merchants m JOIN operations o ON o.merchant_id = m.merchant_id
        WHERE m.merchant_id IS NOT NULL
        """

    private struct Values {
        private(set) var all: [PostgresValue] = []

        /// - Returns: its placeholder.
        mutating func add(_ value: PostgresValue) -> String {
            all.append(value)
            return "$\(all.count)"
        }
    }

    private struct Conditions {
        private var all: [String] = []

        var isEmpty: Bool { all.isEmpty }
        var clause: String { all.isEmpty ? "" : "WHERE " + all.joined(separator: " AND ") }

        mutating func add(_ condition: String) { all.append(condition) }
    }
}
