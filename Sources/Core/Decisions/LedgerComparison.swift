/// A payment as we have it against what the bank says of it (docs/correctness.md#ledgers-agree). Pure; asking is
/// `LedgerReport`'s.
package struct LedgerComparison: Hashable, Sendable {
    package let payment: Payment
    /// Whether the bank may have a second hold for it, which it cannot be asked about.
    package let orphan: PossibleOrphan?
    /// `nil` where that cannot be said: an operation is under way, or the bank did not answer.
    package let agrees: Bool?
    /// What the bank answered, by effect; null where it was not asked, or gave no answer.
    package let bank: [String: JSONValue]
    /// For an operator: what is not as it should be.
    package let differences: [String]

    /// What is to be asked about a payment: the bank has a question for each effect but a void
    /// (docs/correctness.md#what-cannot-be-asked).
    package static func questions(about payment: Payment) -> [BankQuery] {
        [
            payment.bank.authorizationID.map(BankQuery.authorization),
            payment.bank.captureID.map(BankQuery.capture),
            payment.bank.refundID.map(BankQuery.refund),
        ].compactMap(\.self)
    }

    /// - Parameters:
    ///   - payment: as the store has it.
    ///   - orphan: as it is on record.
    ///   - answers: to `questions(about:)`, in their order.
    ///   - isMissingProof: whether "not found" may be believed: the bank was well before and after
    ///     (docs/correctness.md#codes-that-lie).
    package init(
        _ payment: Payment,
        orphan: PossibleOrphan? = nil,
        _ answers: [BankAnswer],
        isMissingProof: Bool
    ) {
        var bank: [String: JSONValue] = ["authorization": .null, "capture": .null, "refund": .null]
        var differences: [String] = []
        var isUnknown = payment.status.isInProgress
        for (query, answer) in zip(Self.questions(about: payment), answers) {
            guard case .response(let response) = answer, case .json(let body) = response.body else {
                isUnknown = true
                continue
            }
            bank[query.name] = body
            switch response.status {
            case 200:
                differences += Self.expectations(query, payment).compactMap { name, expected in
                    guard body[name] != expected else { return nil }
                    return "\(query.name).\(name): ours \(Self.shown(expected)), the bank's \(Self.shown(body[name]))"
                }
            case 404 where body["error"]?.string == BankCode.notFound.rawValue && isMissingProof:
                differences.append("\(query.name) is not there: ours \(Self.id(query) ?? "none"), the bank has none")
            default:
                isUnknown = true
            }
        }
        self.payment = payment
        self.orphan = orphan
        self.bank = bank
        self.differences = differences
        agrees = differences.isEmpty ? (isUnknown ? nil : true) : false
    }

    private static func id(_ query: BankQuery) -> String? {
        switch query {
        case .authorization(let id), .capture(let id), .refund(let id): id
        case .health: nil
        }
    }

    /// What somebody else's program has put there is shown as it is, and no longer than a line can hold.
    private static func shown(_ value: JSONValue?) -> String {
        guard let value, !value.isNull else { return "none" }
        let text = value.string ?? String(decoding: value.encoded, as: UTF8.self)
        return CardDigits.masked(String(text.prefix(80)))
    }

    private static func expectations(_ query: BankQuery, _ payment: Payment) -> [(String, JSONValue)] {
        let amount = JSONValue.integer(payment.amount.minorUnits)
        return switch query {
        case .authorization(let id):
            [("authorization_id", .string(id)), ("status", .string("approved")), ("amount", amount)]
        case .capture(let id):
            [
                ("capture_id", .string(id)), ("status", .string("captured")), ("amount", amount),
                ("authorization_id", .optional(payment.bank.authorizationID)),
            ]
        case .refund(let id):
            [
                ("refund_id", .string(id)), ("status", .string("refunded")), ("amount", amount),
                ("capture_id", .optional(payment.bank.captureID)),
            ]
        case .health: []
        }
    }

    /// As `processor payments reconcile-report --json` prints it (docs/contract.md#command-line).
    package var json: JSONValue {
        .object([
            "agrees": agrees.map(JSONValue.bool) ?? .null, "bank": .object(bank),
            "id": .string(payment.id.description), "ours": payment.json, "possible_orphan": .optional(orphan?.rawValue),
        ])
    }
}

extension BankQuery {
    fileprivate var name: String {
        switch self {
        case .authorization: "authorization"
        case .capture: "capture"
        case .refund: "refund"
        case .health: "health"
        }
    }
}
