extension Verdict {
    /// The verdict table: total over every answer, code and transport error. Documented for operators in the README.
    ///
    /// - Parameters:
    ///   - action: what was asked.
    ///   - answer: what came back.
    ///   - ambiguousSends: how many earlier sends under the same key may have reached the bank without our learning their outcome.
    package static func of(_ action: BankAction, _ answer: BankAnswer, ambiguousSends: Int) -> Verdict {
        switch answer {
        case .notSent(let reason): .notSent(reason: reason)
        case .noAnswer(let reason): .ambiguous(reason: reason, isComplete: false)
        case .response(let response): of(action, response, ambiguousSends)
        }
    }

    private static func of(_ action: BankAction, _ response: BankResponse, _ ambiguousSends: Int) -> Verdict {
        guard case .json(let body) = response.body else {
            return .ambiguous(reason: "http_\(response.status)_not_json", isComplete: true)
        }
        switch response.status {
        case 200..<300: return success(action, body, isReplayed: response.isReplayed, ambiguousSends)
        case 400..<500: return refusal(action, body, status: response.status, sentBefore: ambiguousSends > 0)
        default: return .ambiguous(reason: "http_\(response.status)", isComplete: true)
        }
    }

    private static func success(_ action: BankAction, _ body: JSONValue, isReplayed: Bool, _ ambiguousSends: Int)
        -> Verdict
    {
        do throws(BankEffect.Doubt) {
            let effect = try BankEffect.read(body, answering: action)
            // Only an authorize can be executed twice: the bank's own state rules stop the others (traps B2, B3). A replay
            // accounts for one of the sends before it, not for two: the first may have been executed and its key lost.
            let isPossibleOrphan = action.kind == .authorize && ambiguousSends > (isReplayed ? 1 : 0)
            return .succeeded(effect, isPossibleOrphan: isPossibleOrphan)
        } catch {
            switch error {
            case .unreadable: return .ambiguous(reason: "success_unreadable", isComplete: true)
            case .mismatch(let field): return .needsAttention(reason: "bank_echoed_other_\(field)")
            }
        }
    }

    private static func refusal(_ action: BankAction, _ body: JSONValue, status: Int, sentBefore: Bool) -> Verdict {
        guard let text = body["error"]?.string, let code = BankCode(rawValue: text) else {
            return .ambiguous(reason: "http_\(status)_unknown_code", isComplete: true)
        }
        let refusal = BankRefusal(code: text, message: body["message"]?.string ?? text)
        switch code.meaning(for: action.kind) {
        case .unproven:
            return .ambiguous(reason: text, isComplete: true)
        case .refused where !sentBefore:
            return .declined(refusal)
        case .expired where !sentBefore:
            return .expired(refusal)
        case .refused where action.kind == .authorize:
            // Our own lost hold may be what used the balance up (trap B4).
            return .needsAttention(reason: "declined_after_ambiguous_send_\(text)")
        case .refused, .expired:
            // The effect of our own earlier send may be the reason (trap B8); the same key once more tells.
            return .ambiguous(reason: "\(text)_after_ambiguous_send", isComplete: true)
        }
    }
}
