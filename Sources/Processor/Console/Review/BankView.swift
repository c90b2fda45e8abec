import Core

/// What the bank says of an operation in review and of its payment. Asking executes nothing.
struct BankView: Sendable {
    /// By the key of the operation, in a few words.
    let words: String
    /// The same, and what follows from it.
    let testimony: String
    /// What `testimony` means for whoever decides.
    let tone: ConsoleNotice.Kind
    /// By the bank's own ids that we have.
    let effects: [Effect]

    struct Effect: Sendable {
        /// `authorization`, `capture` or `refund`.
        let name: String
        let ours: String
        let bank: String
    }

    init(asking parts: ConsoleParts, _ operation: Operation, _ payment: Payment, by actor: String) async throws {
        var effects: [Effect] = []
        for query in LedgerComparison.questions(about: payment) {
            let answer = await parts.bank.ask(query, timeout: parts.bankTimeout)
            effects.append(Effect(query, payment, answer))
        }
        self.effects = effects
        // The question that a resolution asks first, by the same code.
        let order = try ResolutionOrder(
            paymentID: payment.id,
            merchantID: operation.merchantID,
            operation: operation.idempotencyKey.description,
            end: .succeeded,
            reason: "asked only",
            actor: actor
        )
        do throws(ResolutionRefusal) {
            let plan = try await parts.resolver.plan(order)
            words = plan.testimony
            testimony = "\(Self.sentence(plan.testimony)) It can be resolved as succeeded."
            tone = .notice
        } catch {
            switch error {
            case .needsBankID(let key):
                words = key.explanation
                testimony =
                    "\(Self.sentence(key.explanation)) Where it has done it under an id that you know, resolve it "
                    + "as succeeded with that id. Before you resolve it as failed, make sure with the bank that it has "
                    + "not done it and will not."
                tone = .hold
            default:
                words = error.explanation
                testimony = Self.sentence(error.explanation)
                tone = .problem
            }
        }
    }

    private static func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() + "." }
}

extension BankView.Effect {
    /// What of an answer is shown: what the bank's documentation names (docs/bank.md#api).
    private static let names = [
        "status", "amount", "currency", "authorization_id", "capture_id", "refund_id", "expires_at", "error", "message",
    ]

    init(_ query: BankQuery, _ payment: Payment, _ answer: BankAnswer) {
        let (name, id) =
            switch query {
            case .authorization(let id): ("authorization", id)
            case .capture(let id): ("capture", id)
            case .refund(let id): ("refund", id)
            case .health: ("health", "")
            }
        self.name = name
        ours = "\(id), \(PaymentText.amount(payment.amount))"
        guard case .response(let response) = answer else {
            bank = "no answer"
            return
        }
        guard case .json(let body) = response.body else {
            bank = "HTTP \(response.status), which is not JSON"
            return
        }
        let members = Self.names.compactMap { name in
            body[name].flatMap { value -> String? in
                guard !value.isNull else { return nil }
                let text = value.string ?? String(decoding: value.encoded, as: UTF8.self)
                return "\(name) \(CardDigits.masked(String(text.prefix(120))))"
            }
        }
        bank =
            response.status == 200
            ? members.joined(separator: ", ") : "HTTP \(response.status): \(members.joined(separator: ", "))"
    }
}
