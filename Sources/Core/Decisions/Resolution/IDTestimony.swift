/// What the bank says when it is asked by an id of its own.
package enum IDTestimony: Hashable, Sendable {
    case found(BankEffect, BankResponse)
    /// It is something else than what the operation asked for: a code.
    case differs(reason: String)
    case unknown

    /// - Parameters:
    ///   - answer: to the question by the id; `nil` where it says nothing that counts.
    ///   - id: that was asked about.
    ///   - kind: of the operation.
    ///   - payment: as the store has it.
    ///   - isMissingProof: whether "not found" may be believed: the bank was well before and after
    ///     (docs/correctness.md#codes-that-lie).
    package init?(
        _ answer: BankAnswer,
        to id: String,
        about kind: OperationKind,
        of payment: Payment,
        isMissingProof: Bool
    ) {
        guard case .response(let response) = answer, case .json(let body) = response.body else { return nil }
        switch response.status {
        case 200:
            do throws(BankEffect.Doubt) {
                let effect = try BankEffect.read(body, answering: .inquiry(about: kind, of: payment))
                self = effect.bankID == id ? .found(effect, response) : .differs(reason: "bank_echoed_other_id")
            } catch {
                self = .differs(reason: error.code)
            }
        case 404 where body["error"]?.string == BankCode.notFound.rawValue && isMissingProof:
            self = .unknown
        default:
            return nil
        }
    }
}

extension BankEffect.Doubt {
    fileprivate var code: String {
        switch self {
        case .unreadable: "unreadable"
        case .otherStatus: "other_status"
        case .mismatch(let field): "other_\(field)"
        }
    }
}
