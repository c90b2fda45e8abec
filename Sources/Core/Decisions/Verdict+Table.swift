extension Verdict {
    /// The verdict table: total over every answer, code and transport error. Documented for operators in docs/bank.md#what-an-answer-means.
    ///
    /// - Parameters:
    ///   - action: what was asked.
    ///   - answer: what came back.
    ///   - sends: the earlier requests under the same key.
    package static func of(_ action: BankAction, _ answer: BankAnswer, sends: EarlierSends) -> Verdict {
        switch answer {
        case .notSent(let reason): .notSent(reason: reason)
        case .noAnswer(let reason): .ambiguous(reason: reason, .noAnswer)
        case .response(let response): of(action, response, sends)
        }
    }

    /// By status first: what comes from before the bank's door has a body that means nothing.
    private static func of(_ action: BankAction, _ response: BankResponse, _ sends: EarlierSends) -> Verdict {
        let reason = "http_\(response.status)"
        if let door = BankDoor(response) { return .notExecuted(reason: reason, door) }
        if response.status >= 500 { return serverError(response) }
        guard case .json(let body) = response.body else {
            let isSuccess = (200..<300).contains(response.status)
            return .ambiguous(reason: "\(reason)_not_json", isSuccess ? .unreadable : .failed)
        }
        switch response.status {
        case 200..<300: return success(action, body, isReplayed: response.isReplayed, sends)
        case 400..<500: return refusal(action, body, status: response.status, sends)
        default: return .ambiguous(reason: reason, .failed)
        }
    }

    /// The bank's own 500 and an overloaded door's 503 come before anything is executed; what a gateway says when its own patience
    /// is over does not tell.
    private static func serverError(_ response: BankResponse) -> Verdict {
        guard case .json = response.body else {
            return .ambiguous(
                reason: "http_\(response.status)_not_json",
                response.status == 503 ? .failed : .gateway
            )
        }
        let isGateway = response.status == 502 || response.status == 504
        return .ambiguous(reason: "http_\(response.status)", isGateway ? .gateway : .failed)
    }

    /// Whether an answer is an error that is given before anything is executed, or says that nothing was.
    package static func isCompleteError(_ response: BankResponse) -> Bool {
        if BankDoor(response) != nil { return true }
        if response.status < 500 { return response.status >= 400 }
        if case .ambiguous(_, .failed) = serverError(response) { return true }
        return false
    }

    private static func success(
        _ action: BankAction,
        _ body: JSONValue,
        isReplayed: Bool,
        _ sends: EarlierSends
    ) -> Verdict {
        do throws(BankEffect.Doubt) {
            let effect = try BankEffect.read(body, answering: action)
            if case .inquiry = action, !isReplayed {
                // It has nothing to execute: whatever this is, it is not the stored answer.
                return .ambiguous(reason: "inquiry_not_replayed", .unreadable)
            }
            return .succeeded(
                effect,
                orphan: action.kind == .authorize ? orphan(isReplayed: isReplayed, sends) : nil,
                isForgotten: isReplayed && sends.isEmpty
            )
        } catch {
            switch error {
            case .unreadable: return .ambiguous(reason: "success_unreadable", .unreadable)
            case .otherStatus: return .ambiguous(reason: "success_status_other", .unreadable)
            case .mismatch(let field): return .needsAttention(reason: "bank_echoed_other_\(field)")
            }
        }
    }

    /// Only an authorize can be executed twice: the bank's own state rules stop the others
    /// (docs/correctness.md#unlocked-keys, docs/correctness.md#lost-keys). A replay accounts for one of the unanswered
    /// requests before it, not for two: the first may have been executed and its key lost.
    static func orphan(isReplayed: Bool, _ sends: EarlierSends) -> PossibleOrphan? {
        if sends.unanswered > (isReplayed ? 1 : 0) { return .suspected }
        return sends.failed > 0 && !isReplayed ? .unlikely : nil
    }

    private static func refusal(
        _ action: BankAction,
        _ body: JSONValue,
        status: Int,
        _ sends: EarlierSends
    ) -> Verdict {
        guard let text = body["error"]?.string, TextRule.holds(text, length: 1...128) else {
            return .ambiguous(reason: "http_\(status)_unknown_code", .failed)
        }
        if case .inquiry = action { return text == BankCode.internalError.rawValue ? unproven(text) : .keyUnknown }
        let refusal = BankRefusal(code: text, message: body["message"]?.string ?? text)
        let code = BankCode(rawValue: text)
        // These two statuses say no to the payment itself, whatever the code.
        let isPaymentRefused = (status == 402 || status == 422) && code != .internalError
        switch code?.meaning(for: action.kind) {
        case .expired: return sends.isEmpty ? .expired(refusal) : afterAmbiguousSend(text)
        case .refused: return declined(action, refusal, code, sends)
        case .unproven, nil:
            if isPaymentRefused { return declined(action, refusal, code, sends) }
            return code == nil ? .ambiguous(reason: "http_\(status)_unknown_code", .failed) : unproven(text)
        }
    }

    private static func declined(
        _ action: BankAction,
        _ refusal: BankRefusal,
        _ code: BankCode?,
        _ sends: EarlierSends
    ) -> Verdict {
        guard action.kind == .authorize else {
            // The effect of our own earlier request may be the reason (docs/correctness.md#already-used); the same key
            // once more tells.
            return sends.isEmpty ? .declined(refusal, orphan: nil) : afterAmbiguousSend(refusal.code)
        }
        // There is no authorization that anybody could use, so it is final; but an earlier request may have left a hold
        // (docs/correctness.md#decline-after-silence).
        guard !sends.isEmpty else { return .declined(refusal, orphan: nil) }
        let grade = code.map(\.orphanAfterUnanswered) ?? .suspected
        return .declined(refusal, orphan: sends.unanswered > 0 ? grade : grade.map { _ in .unlikely })
    }

    private static func afterAmbiguousSend(_ code: String) -> Verdict {
        .ambiguous(reason: "\(code)_after_ambiguous_send", .failed)
    }

    private static func unproven(_ code: String) -> Verdict { .ambiguous(reason: code, .failed) }
}

/// The error codes of the bank (docs/bank.md#api).
enum BankCode: String, CaseIterable {
    case invalidCard = "invalid_card"
    case invalidCVV = "invalid_cvv"
    case invalidAmount = "invalid_amount"
    case cardExpired = "card_expired"
    case insufficientFunds = "insufficient_funds"
    case authorizationNotFound = "authorization_not_found"
    case authorizationAlreadyUsed = "authorization_already_used"
    case authorizationExpired = "authorization_expired"
    case amountMismatch = "amount_mismatch"
    case alreadyCaptured = "already_captured"
    case alreadyVoided = "already_voided"
    case captureNotFound = "capture_not_found"
    case alreadyRefunded = "already_refunded"
    case notFound = "not_found"
    case internalError = "internal_error"

    /// What it says, as the decline of an authorize, about a hold that an earlier unanswered request may have left: `nil` where the
    /// card can never have been held. An invalid card is what the bank now and then says of a valid one
    /// (docs/correctness.md#codes-that-lie).
    var orphanAfterUnanswered: PossibleOrphan? {
        switch self {
        case .insufficientFunds: .suspected
        case .invalidCard: .unlikely
        default: nil
        }
    }

    enum Meaning {
        /// Proof that the operation was not executed.
        case refused
        /// The same, because the authorization has expired.
        case expired
        /// No proof of anything: internal errors, codes of another operation, and "not found" for an id that the bank itself
        /// issued (docs/correctness.md#codes-that-lie).
        case unproven
    }

    func meaning(for operation: OperationKind) -> Meaning {
        switch (operation, self) {
        case (.authorize, .invalidCard), (.authorize, .invalidCVV), (.authorize, .invalidAmount),
            (.authorize, .cardExpired), (.authorize, .insufficientFunds),
            (.capture, .authorizationAlreadyUsed), (.capture, .alreadyCaptured), (.capture, .amountMismatch),
            (.void, .authorizationAlreadyUsed), (.void, .alreadyCaptured), (.void, .alreadyVoided),
            (.refund, .alreadyRefunded), (.refund, .amountMismatch):
            .refused
        case (.capture, .authorizationExpired):
            .expired
        default:
            .unproven
        }
    }
}
