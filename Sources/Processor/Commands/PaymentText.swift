import Core

/// Payments for people to read.
enum PaymentText {
    static func details(of view: PaymentView) -> String {
        let payment = view.payment
        let facts: [(String, String?)] = [
            ("payment", payment.id.description),
            ("status", payment.status.rawValue),
            ("amount", amount(payment.amount)),
            ("merchant", payment.merchantID.description),
            ("order", payment.orderID),
            ("customer", payment.customerID),
            ("created", payment.createdAt.description),
            ("authorized", payment.authorizedAt?.description),
            ("expires", payment.expiresAt?.description),
            ("captured", payment.capturedAt?.description),
            ("voided", payment.voidedAt?.description),
            ("refunded", payment.refundedAt?.description),
            ("bank authorization", payment.bank.authorizationID),
            ("bank capture", payment.bank.captureID),
            ("bank void", payment.bank.voidID),
            ("bank refund", payment.bank.refundID),
            ("possible orphan", view.orphan?.rawValue),
        ]
        let history = view.history.map { entry in
            [
                entry.at.description, entry.from?.rawValue ?? "-", entry.to.rawValue, entry.operation.rawValue,
                entry.cause,
            ]
        }
        let operations = view.operations.map { operation in
            [
                operation.kind.rawValue, operation.state.rawValue, "\(operation.attempts)", notified(operation),
                operation.idempotencyKey.description, operation.lastError ?? "-",
            ]
        }
        let attempts = view.attempts.map { attempt in
            [
                attempt.at.description, attempt.operation.rawValue, attempt.verdict.rawValue,
                attempt.status.map { "\($0)" } ?? "-", attempt.code ?? "-", attempt.tier?.rawValue ?? "-",
                attempt.idempotencyKey.description,
            ]
        }
        let replays = view.replays.map { [$0.at.description, $0.result, $0.actor, $0.deadLetterID.description] }
        let details: [(String, [String], [[String]])] = [
            (
                "Requests to the bank", ["AT", "OPERATION", "VERDICT", "STATUS", "CODE", "TIER", "IDEMPOTENCY KEY"],
                attempts
            ),
            ("Replays of dead letters", ["AT", "RESULT", "BY", "DEAD LETTER"], replays),
        ]
        let sections = [
            TextTable.lines(facts.compactMap { name, value in value.map { [name, $0] } }).joined(separator: "\n"),
            TextTable.section("History", ["AT", "FROM", "TO", "OPERATION", "CAUSE"], history),
            TextTable.section(
                "Operations",
                ["KIND", "STATE", "ATTEMPTS", "NOTIFIED", "IDEMPOTENCY KEY", "LAST ERROR"],
                operations
            ),
        ]
        return (sections + details.filter { !$0.2.isEmpty }.map(TextTable.section)).joined(separator: "\n\n")
    }

    /// Whether the broker has the reply and the events of its end, or its dead letter.
    private static func notified(_ operation: Operation) -> String {
        if operation.isOpen { return "-" }
        return operation.isNotified ? "yes" : "not yet"
    }

    static func table(of page: PaymentPage) -> String {
        guard !page.payments.isEmpty else { return "no payments" }
        // Only in the list of the possible orphans.
        let hasOrphans = !page.orphans.isEmpty
        let rows = page.payments.map { payment in
            [
                payment.id.description, payment.status.rawValue, amount(payment.amount), payment.merchantID.description,
                payment.orderID, payment.customerID, payment.createdAt.description,
            ] + (hasOrphans ? [page.orphans[payment.id]?.rawValue ?? "-"] : [])
        }
        let header =
            ["PAYMENT", "STATUS", "AMOUNT", "MERCHANT", "ORDER", "CUSTOMER", "CREATED"] + (hasOrphans ? ["ORPHAN"] : [])
        let more = page.next.map { ["", "more: --cursor \($0)"] } ?? []
        return (TextTable.lines([header] + rows) + more).joined(separator: "\n")
    }

    /// Major units: the bank's only currency has a hundred minor ones.
    static func amount(_ money: Money) -> String {
        let (major, minor) = money.minorUnits.quotientAndRemainder(dividingBy: 100)
        return "\(major).\(minor < 10 ? "0" : "")\(minor) \(money.currency.rawValue)"
    }
}
