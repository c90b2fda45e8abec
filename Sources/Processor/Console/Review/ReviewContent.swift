import Core

/// The queue of what needs review.
struct ReviewsContent: Sendable {
    let title: String
    let hasRows: Bool
    let rows: [Row]
    /// Where the list begins, on a later page.
    let first: String?
    let next: String?
    let command = CommandText(["dead-letters", "list", "--code", "needs_attention"])

    struct Row: Sendable {
        let since: TimeText
        let kind: String
        let why: String
        let amount: String
        let order: String
        let status: String
        let deadLetter: String
        let deadLetterState: String
        let path: String
    }

    /// - Parameters:
    ///   - reviews: of one page.
    ///   - count: of all, as the overview has it.
    init(_ reviews: [PendingReview], count: Int?, isFirst: Bool, isCut: Bool, now: Timestamp) {
        let isWhole = isFirst && !isCut
        let all = isWhole ? reviews.count : max(count ?? 0, reviews.count)
        let words =
            all > OverviewSource.mostReviews
            ? "More than \(CountText.of(OverviewSource.mostReviews, "operation"))" : CountText.of(all, "operation")
        title = "\(words), the longest waiting first"
        hasRows = !reviews.isEmpty
        first = isFirst ? nil : ConsoleSection.review.path
        next =
            isCut
            ? reviews.last.map { ConsolePath.link(ConsoleSection.review.path, [("cursor", $0.place.description)]) }
            : nil
        rows = reviews.map { review in
            Row(
                since: TimeText(review.since, now: now),
                kind: review.kind.rawValue,
                why: ReviewReason.words(review.lastError),
                amount: PaymentText.amount(review.payment.amount),
                order: review.payment.orderID,
                status: review.payment.status.rawValue,
                deadLetter: review.deadLetter.description,
                deadLetterState: review.deadLetterState.rawValue,
                path: ReviewPages.path(
                    review.payment.id,
                    key: review.idempotencyKey.description,
                    merchant: review.merchantID.description
                )
            )
        }
    }
}

enum ReviewReason {
    /// The code, which a person can look for in log and documentation, and what it means where it is a common one.
    static func words(_ code: String?) -> String {
        guard let code else { return "no reason is known" }
        return meaning(code).map { "\($0) (\(code))" } ?? code
    }

    private static func meaning(_ code: String) -> String? {
        if code.hasPrefix("bank_echoed_other_") {
            let field = code.dropFirst("bank_echoed_other_".count).replacing("_", with: " ")
            return "the bank confirmed another \(field) than was asked for"
        }
        switch code {
        case "no_answer", "timeout", "timed_out": return "the bank did not answer for 23 hours"
        case BankView.internalError: return "the bank failed again and again"
        default: return nil
        }
    }
}

extension BankView {
    fileprivate static let internalError = "internal_error"
}

/// One operation in review.
struct ReviewContent: Sendable {
    let kind: String
    let order: String
    let why: String
    let since: TimeText?
    let views: [View]
    let testimony: Testimony?
    let canAct: Bool
    let ask: String
    let deadLetter: DeadLetterLink?
    let payment: String
    let key: String
    let merchant: String
    private(set) var commands: [CommandText]

    struct View: Sendable {
        let name: String
        let ours: String
        let bank: String?
    }

    struct Testimony: Sendable {
        let tone: String
        let text: String
    }

    struct DeadLetterLink: Sendable { let id: String }

    /// - Parameters:
    ///   - review: `nil` while its dead letter is still in the broker's queue.
    ///   - bank: `nil` where it was not asked.
    init(
        _ payment: Payment,
        _ operation: Operation,
        _ review: PendingReview?,
        _ bank: BankView?,
        canAct: Bool,
        now: Timestamp
    ) {
        kind = operation.kind.rawValue
        order = payment.orderID
        let reason = ReviewReason.words(operation.lastError)
        why = reason.prefix(1).uppercased() + reason.dropFirst() + "."
        since = review.map { TimeText($0.since, now: now) }
        self.canAct = canAct
        key = operation.idempotencyKey.description
        merchant = operation.merchantID.description
        self.payment = payment.id.description
        let path = ReviewPages.path(payment.id, operation)
        ask = "\(path)\(path.contains("?") ? "&" : "?")bank=ask"
        testimony = bank.map { Testimony(tone: $0.tone.rawValue, text: $0.testimony) }
        deadLetter = review.flatMap {
            $0.deadLetterState == .open ? DeadLetterLink(id: $0.deadLetter.description) : nil
        }
        views =
            [
                View(
                    name: operation.kind.rawValue,
                    ours:
                        "\(operation.state.rawValue), \(PaymentText.amount(payment.amount)), key \(operation.bankKey)",
                    bank: bank?.words
                )
            ]
            + (bank?.effects.map { View(name: $0.name, ours: $0.ours, bank: $0.bank) } ?? Self.unasked(payment))
        let id = payment.id.description
        func resolve(_ end: String, _ bankID: String?) -> CommandText {
            var words: [String?] = ["payments", "resolve", id, "--operation", operation.idempotencyKey.description]
            words += ["--merchant-id", operation.merchantID.description, "--as", end]
            words += CommandText.option("--bank-id", bankID)
            return CommandText(words + ["--reason", "ticket 4711"])
        }
        commands = [
            CommandText(["payments", "show", id]), resolve("succeeded", nil), resolve("failed", nil),
        ]
        if let deadLetter {
            commands.append(CommandText(["dead-letters", "replay", deadLetter.id, "--confirm", "1"]))
        }
    }

    private static func unasked(_ payment: Payment) -> [View] {
        LedgerComparison.questions(about: payment).map { query in
            let effect = BankView.Effect(query, payment, .notSent(reason: "not_asked"))
            return View(name: effect.name, ours: effect.ours, bank: nil)
        }
    }
}
