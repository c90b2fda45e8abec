import Core

/// Where a payment stands and why, in sentences: what an operator is asked by those who wait for it.
struct PaymentSummary: Hashable, Sendable {
    let sentences: [String]
    /// `problem`: somebody must act; `hold`: it waits and goes on by itself; `notice`: there is nothing to do.
    let tone: ConsoleNotice.Kind

    init(_ facts: PaymentFacts) {
        let review = facts.inReview
        let isWaiting = facts.view.operations.contains(where: \.isOpen) || !facts.trace.waiting.isEmpty
        let open = facts.deadLetters.filter { !$0.state.isClosed && $0.failure.code != Self.reviewCode }
        tone = !review.isEmpty || !open.isEmpty ? .problem : isWaiting ? .hold : .notice
        var sentences = [Self.state(facts.view.payment)]
        sentences += review.map { operation in
            "The \(operation.kind.rawValue) needs manual review (\(operation.lastError ?? "no reason is known")): "
                + "no further request to the bank can tell its outcome."
        }
        sentences += facts.view.operations.filter(\.isOpen).map(Self.open)
        sentences += facts.trace.waiting.map { waiting in
            "A \(waiting.kind.rawValue) waits on a retry tier for \(AgeText.of(waiting.since.duration(to: facts.now)))."
        }
        sentences += open.map { deadLetter in
            "A dead letter is left to do: \(deadLetter.failure.code), \(deadLetter.failure.message)."
        }
        sentences += Self.notCaptured(facts)
        let unconfirmed = facts.view.operations.filter { !$0.isOpen && !$0.isNotified }
        sentences += unconfirmed.map { "The reply of the \($0.kind.rawValue) is not confirmed by the broker yet." }
        if facts.view.orphan == .suspected {
            sentences.append("The bank may have a second hold for it, of which no payment knows.")
        }
        self.sentences = sentences
    }

    private static let reviewCode = DeadLetterCode.needsAttention.rawValue

    private static func state(_ payment: Payment) -> String {
        switch payment.status {
        case .pending: "It is not authorized yet."
        case .authorized: "It is authorized and not captured."
        case .capturing: "Its capture is under way; it counts as authorized until that has ended."
        case .captured: "It is captured."
        case .voiding: "It is being voided."
        case .voided: "It is voided: the bank holds nothing any more."
        case .refunding: "It is captured and being refunded."
        case .refunded: "It is refunded."
        case .failed: "It has failed: the bank has authorized nothing."
        case .expired: "Its authorization has expired before it was captured."
        }
    }

    private static func open(_ operation: Operation) -> String {
        switch operation.state {
        case .sent: "The \(operation.kind.rawValue) is at the bank, or was when its processor ended; the sweep goes on."
        default:
            "The \(operation.kind.rawValue) is asked again (\(operation.lastError ?? "outcome not known yet"), "
                + "\(CountText.of(operation.attempts, "attempt")) so far)."
        }
    }

    /// Why money that was asked for did not move.
    private static func notCaptured(_ facts: PaymentFacts) -> [String] {
        var sentences: [String] = []
        if facts.view.payment.status == .failed, let last = facts.operations(.authorize).last {
            sentences.append("The authorize was \(ended(last)).")
        }
        for kind in [OperationKind.capture, .void, .refund] {
            for operation in facts.operations(kind) where [.declined, .rejected].contains(operation.state) {
                sentences.append("A \(kind.rawValue) was \(ended(operation)).")
            }
        }
        let isAsked =
            !facts.operations(.capture).isEmpty || facts.trace.waiting.contains { $0.kind == .capture }
            || facts.deadLetters.contains { $0.command.kind == .capture }
        if facts.view.payment.status == .authorized, !isAsked {
            sentences.append("No capture has come for it: whoever sent the order has not asked for one.")
        }
        return sentences
    }

    private static func ended(_ operation: Operation) -> String {
        let error = operation.reply.flatMap { try? JSONParser.parse($0) }?["error"]
        let code = error?["code"]?.string ?? operation.lastError ?? "no code"
        let message = error?["message"]?.string.map { ", “\($0)”" } ?? ""
        let who = error?["source"]?.string == "bank" ? "declined by the bank" : "rejected by the processor"
        return "\(who): \(code)\(message)"
    }
}

/// All that is known of one payment.
struct PaymentFacts: Sendable {
    let view: PaymentView
    let trace: PaymentTrace
    /// Newest first.
    let deadLetters: [DeadLetter]
    let now: Timestamp

    func steps(of operation: Operation) -> PaymentTrace.Steps? { trace.steps.first { $0.operation == operation.id } }

    /// What was attempted of a kind, the last one last.
    func operations(_ kind: OperationKind) -> [Operation] { view.operations.filter { $0.kind == kind } }

    var inReview: [Operation] { view.operations.filter { $0.state == .needsAttention } }
}
