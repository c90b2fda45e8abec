import Core

/// The page of the lists.
struct PaymentsContent: Sendable {
    let id: String
    let isFiltered: Bool
    let fields: [TextField]
    let statuses: [Choice]
    let orphans: Bool
    var problem: String?
    var lists: [PaymentRows] = []
    var nothing = "No payment matches."
    var commands = [CommandText(["payments", "list", "--help"])]

    private static let names: [(String, String, String?)] = [
        ("order_id", "Order", nil), ("customer_id", "Customer", nil), ("merchant_id", "Merchant", nil),
        ("idempotency_key", "Idempotency key", nil), ("bank_id", "Bank id", nil), ("message_id", "Message id", nil),
        ("since", "Created from", "2026-01-31T22:00:00Z"), ("until", "Created before", "2026-01-31T23:00:00Z"),
    ]

    init(_ fields: FormFields) {
        id = fields["id"] ?? ""
        self.fields = Self.names.map { name, label, placeholder in
            TextField(name: name, label: label, value: fields[name] ?? "", placeholder: placeholder)
        }
        statuses = Choice.of(PaymentStatus.allCases.map(\.rawValue), fields["status"]?.uppercased())
        orphans = fields["possible_orphans"] == "true"
        isFiltered = orphans || fields["status"] != nil || self.fields.contains { !$0.value.isEmpty }
    }
}

/// A page of a list of payments.
struct PaymentRows: Sendable {
    let caption: String
    let hasGrades: Bool
    let rows: [Row]
    let next: String?

    struct Row: Sendable {
        let created: TimeText
        let order: String
        let status: String
        let amount: String
        let customer: String
        let merchant: String
        let id: String
        let grade: String?
    }

    init(_ page: PaymentPage, caption: String, next: String?, now: Timestamp) {
        self.caption = caption
        self.next = next
        hasGrades = !page.orphans.isEmpty
        rows = page.payments.map { payment in
            Row(
                created: TimeText(payment.createdAt, now: now),
                order: payment.orderID,
                status: payment.status.rawValue,
                amount: PaymentText.amount(payment.amount),
                customer: payment.customerID,
                merchant: payment.merchantID.description,
                id: payment.id.description,
                grade: page.orphans[payment.id]?.rawValue ?? (page.orphans.isEmpty ? nil : "none")
            )
        }
    }
}
