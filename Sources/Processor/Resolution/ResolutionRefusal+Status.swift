import Core
import HTTPTypes

extension ResolutionRefusal {
    /// How `payments resolve` ends (docs/contract.md#exit-codes).
    var exitStatus: ExitStatus {
        switch self {
        case .noPayment, .noOperation, .severalOperations, .otherState, .notActive, .bankExecuted, .otherBankID,
            .bankIDUnknown, .bankIDDiffers, .bankIDTaken, .changed:
            .differences
        case .needsBankID: .usage
        case .bankUnavailable: .unavailable
        case .storeFailed(let error): CommandFailure(error).status
        }
    }

    /// Whether it is certain that nothing has been changed: not where the store went away in the middle.
    var isHarmless: Bool {
        if case .storeFailed(let error) = self { return !error.isRetriable }
        return true
    }
}

extension AdminError {
    init(_ refusal: ResolutionRefusal) {
        let status: HTTPResponse.Status
        switch refusal {
        case .noPayment, .noOperation: status = .notFound
        case .severalOperations, .otherState, .notActive, .bankExecuted, .otherBankID, .bankIDUnknown, .bankIDDiffers,
            .bankIDTaken, .changed:
            status = .conflict
        case .needsBankID: status = .badRequest
        case .bankUnavailable: status = .serviceUnavailable
        case .storeFailed(let error):
            self.init(error)
            return
        }
        self.init(status: status, code: refusal.code, message: refusal.explanation)
    }
}
