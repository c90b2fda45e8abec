import Core

/// The page of one payment.
struct PaymentContent: Sendable {
    let order: String
    let status: String
    let amount: String
    let summary: [String]
    let tone: String
    let reviews: [ReviewLink]
    let facts: [Fact]
    let operations: [Row]
    let waiting: Table<Waiting>?
    let timeline: [TimelineEntry]
    let deadLetters: Table<Failure>?
    let commands: [CommandText]

    struct Table<Element: Sendable>: Sendable { let rows: [Element] }

    struct ReviewLink: Sendable {
        let kind: String
        let path: String
    }

    struct Row: Sendable {
        let kind: String
        let state: String
        /// Of another name than the page's: a template finds what is missing here there.
        let mark: String?
        let attempts: Int
        let notified: String
        let error: String
        let key: String
        let bankKey: String
        let trace: String?
    }

    struct Waiting: Sendable {
        let kind: String
        let since: TimeText
        let key: String
        let message: String
        let tier: String
    }

    struct Failure: Sendable {
        let at: TimeText
        let code: String
        let state: String
        let message: String
        let id: String
    }

    init(_ facts: PaymentFacts) {
        let payment = facts.view.payment
        let summary = PaymentSummary(facts)
        order = payment.orderID
        status = payment.status.rawValue
        amount = PaymentText.amount(payment.amount)
        self.summary = summary.sentences
        tone = summary.tone.rawValue
        reviews = facts.inReview.map { operation in
            ReviewLink(kind: operation.kind.rawValue, path: ReviewPages.path(payment.id, operation))
        }
        self.facts = Self.facts(facts.view, facts.now)
        operations = facts.view.operations.map { operation in
            Row(
                kind: operation.kind.rawValue,
                state: operation.state.rawValue,
                mark: operation.state == .needsAttention ? "act" : operation.isOpen ? "wait" : nil,
                attempts: operation.attempts,
                notified: Self.notified(operation, facts),
                error: operation.lastError ?? "",
                key: operation.idempotencyKey.description,
                bankKey: operation.bankKey,
                trace: Self.traceID(operation.route.traceparent)
            )
        }
        let waiting = facts.trace.waiting.map { waiting in
            Waiting(
                kind: waiting.kind.rawValue,
                since: TimeText(waiting.since, now: facts.now),
                key: waiting.idempotencyKey,
                message: waiting.messageID,
                tier: waiting.tier.rawValue
            )
        }
        self.waiting = waiting.isEmpty ? nil : Table(rows: waiting)
        timeline = facts.timeline
        let failures = facts.deadLetters.map { deadLetter in
            Failure(
                at: TimeText(deadLetter.failure.at, now: facts.now),
                code: deadLetter.failure.code,
                state: deadLetter.state.rawValue,
                message: deadLetter.failure.message,
                id: deadLetter.id.description
            )
        }
        deadLetters = failures.isEmpty ? nil : Table(rows: failures)
        let id = payment.id.description
        commands = [
            CommandText(["payments", "show", id]),
            CommandText(["payments", "list", "--order-id", payment.orderID]),
            CommandText(["dead-letters", "list", "--payment", id, "--state", "all"]),
        ]
    }

    private static func facts(_ view: PaymentView, _ now: Timestamp) -> [Fact] {
        let payment = view.payment
        func list(_ name: String, _ value: String) -> String { ConsolePath.link("/console/payments", [(name, value)]) }
        func time(_ name: String, _ at: Timestamp?) -> Fact? {
            Fact.optional(
                name,
                at.map { at in
                    at > now ? "\(TimeText.second(at)) (in \(AgeText.of(now.duration(to: at))))" : TimeText.second(at)
                }
            )
        }
        let facts: [Fact?] = [
            Fact("Payment", payment.id.description, isID: true),
            Fact("Order", payment.orderID, isID: true, path: list("order_id", payment.orderID)),
            Fact("Customer", payment.customerID, isID: true, path: list("customer_id", payment.customerID)),
            Fact("Merchant", payment.merchantID.description, path: list("merchant_id", payment.merchantID.description)),
            time("Created", payment.createdAt), time("Authorized", payment.authorizedAt),
            time("Expires", payment.expiresAt), time("Captured", payment.capturedAt),
            time("Voided", payment.voidedAt), time("Refunded", payment.refundedAt),
            Fact.optional("Bank authorization", payment.bank.authorizationID, isID: true),
            Fact.optional("Bank capture", payment.bank.captureID, isID: true),
            Fact.optional("Bank void", payment.bank.voidID, isID: true),
            Fact.optional("Bank refund", payment.bank.refundID, isID: true),
            Fact.optional(
                "Second hold",
                view.orphan?.rawValue,
                path: Guides.link("operations", "possible-orphans")
            ),
        ]
        return facts.compactMap(\.self)
    }

    /// Whether the broker has the reply and the events of its end, or its dead letter.
    private static func notified(_ operation: Operation, _ facts: PaymentFacts) -> String {
        if operation.isOpen { return "" }
        if facts.steps(of: operation)?.undeliverableAt != nil { return "reply queue gone" }
        return operation.isNotified ? "yes" : "not yet" + (facts.whatWaits.map { ": \($0)" } ?? "")
    }

    /// The second part of a trace context.
    private static func traceID(_ traceparent: String?) -> String? {
        guard let parts = traceparent?.split(separator: "-"), parts.count >= 2 else { return nil }
        return String(parts[1])
    }
}

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
