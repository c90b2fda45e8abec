import Testing

@testable import Core

/// The table of verdicts, written out: every operation, every code, sent before or not, and every way to have no answer.
@Suite("Verdict table", .timeLimit(.minutes(1)))
struct VerdictTableTests {
    enum Expected: Hashable { case declined, expired, ambiguous, needsAttention }

    /// What a 4xx with a code means on a first send, and after an ambiguous one. What is not here is ambiguous both times.
    static let refusals: [OperationKind: [String: (first: Expected, afterAmbiguous: Expected)]] = [
        .authorize: [
            "invalid_card": (.declined, .needsAttention), "invalid_cvv": (.declined, .needsAttention),
            "invalid_amount": (.declined, .needsAttention), "card_expired": (.declined, .needsAttention),
            "insufficient_funds": (.declined, .needsAttention),
        ],
        .capture: [
            "authorization_already_used": (.declined, .ambiguous), "already_captured": (.declined, .ambiguous),
            "amount_mismatch": (.declined, .ambiguous), "authorization_expired": (.expired, .ambiguous),
        ],
        .void: [
            "authorization_already_used": (.declined, .ambiguous), "already_captured": (.declined, .ambiguous),
            "already_voided": (.declined, .ambiguous),
        ],
        .refund: ["already_refunded": (.declined, .ambiguous), "amount_mismatch": (.declined, .ambiguous)],
    ]

    static let codes = [
        "invalid_card", "invalid_cvv", "invalid_amount", "card_expired", "insufficient_funds",
        "authorization_not_found",
        "authorization_already_used", "authorization_expired", "amount_mismatch", "already_captured", "already_voided",
        "capture_not_found", "already_refunded", "not_found", "internal_error", "a_new_code",
    ]

    @Test("every code of the bank is in the table")
    func complete() {
        #expect(Set(BankCode.allCases.map(\.rawValue)).union(["a_new_code"]) == Set(Self.codes))
    }

    @Test("a refusal", arguments: OperationKind.allCases, codes)
    func refusal(kind: OperationKind, code: String) {
        for status in [400, 402, 404, 409, 422, 429] {
            for sentBefore in [false, true] {
                let row = Self.refusals[kind]?[code]
                let expected = (sentBefore ? row?.afterAmbiguous : row?.first) ?? .ambiguous
                let response = BankFixture.error(code, status: status)
                let verdict = Verdict.of(
                    BankFixture.action(kind),
                    .response(response),
                    ambiguousSends: sentBefore ? 1 : 0
                )
                #expect(verdict.expected == expected, "\(status), sent before: \(sentBefore)")
                switch verdict {
                case .declined(let refusal), .expired(let refusal):
                    #expect(refusal == BankRefusal(code: code, message: "the bank's words"))
                case .ambiguous(_, let isComplete): #expect(isComplete)
                default: break
                }
            }
        }
    }

    @Test("a code with a 5xx proves nothing", arguments: OperationKind.allCases, codes)
    func serverError(kind: OperationKind, code: String) {
        for status in [500, 502, 503, 504, 599] {
            let answer = BankAnswer.response(BankFixture.error(code, status: status))
            for sentBefore in [false, true] {
                #expect(
                    Verdict.of(BankFixture.action(kind), answer, ambiguousSends: sentBefore ? 1 : 0)
                        == .ambiguous(reason: "http_\(status)", isComplete: true)
                )
            }
        }
    }

    @Test("internal_error with any status proves nothing", arguments: OperationKind.allCases)
    func internalError(kind: OperationKind) {
        for status in [200, 400, 402, 404, 500] {
            let answer = BankAnswer.response(BankFixture.error("internal_error", status: status))
            #expect(Verdict.of(BankFixture.action(kind), answer, ambiguousSends: 0).expected == .ambiguous)
        }
    }

    @Test("other statuses, and bodies without a code, prove nothing", arguments: OperationKind.allCases)
    func strangeAnswers(kind: OperationKind) {
        let bodies: [JSONValue] = [.null, .array([]), .object([:]), .object(["error": .number("1")]), .string("x")]
        for status in [100, 199, 200, 204, 300, 302, 304, 399, 400, 404, 418, 499, 500, 600, 0, -1] {
            for body in bodies {
                let answer = BankAnswer.response(BankResponse(status: status, body: .json(body)))
                for sentBefore in [false, true] {
                    let verdict = Verdict.of(BankFixture.action(kind), answer, ambiguousSends: sentBefore ? 1 : 0)
                    #expect(verdict.expected == .ambiguous, "\(status) \(body)")
                }
            }
        }
    }

    @Test("what is not JSON is ambiguous with any status", arguments: OperationKind.allCases)
    func notJSON(kind: OperationKind) {
        for status in [200, 400, 404, 500] {
            for text in ["", "Bad Request", "<html>", "{\"error\":\"invalid_card\""] {
                let response = BankResponse(status: status, bytes: Array(text.utf8), isReplayed: false)
                #expect(
                    Verdict.of(BankFixture.action(kind), .response(response), ambiguousSends: 0)
                        == .ambiguous(reason: "http_\(status)_not_json", isComplete: true)
                )
            }
        }
    }

    @Test("no answer is ambiguous and may still be executing; not sent is just that", arguments: OperationKind.allCases)
    func transport(kind: OperationKind) {
        for sentBefore in [false, true] {
            let action = BankFixture.action(kind)
            #expect(
                Verdict.of(action, .noAnswer(reason: "timeout"), ambiguousSends: sentBefore ? 1 : 0)
                    == .ambiguous(reason: "timeout", isComplete: false)
            )
            #expect(
                Verdict.of(action, .notSent(reason: "refused"), ambiguousSends: sentBefore ? 1 : 0)
                    == .notSent(reason: "refused")
            )
        }
    }

    @Test("a success is one with any 2xx", arguments: OperationKind.allCases, [200, 201, 204, 299])
    func success(kind: OperationKind, status: Int) {
        for (isReplayed, sends) in [(false, 0), (false, 1), (false, 2), (true, 0), (true, 1), (true, 2), (true, 3)] {
            let response = BankResponse(status: status, body: .json(BankFixture.success(kind)), isReplayed: isReplayed)
            let verdict = Verdict.of(BankFixture.action(kind), .response(response), ambiguousSends: sends)
            // Only an authorize can have been executed twice (trap B3).
            let isPossibleOrphan = kind == .authorize && sends > (isReplayed ? 1 : 0)
            #expect(verdict == .succeeded(BankFixture.effect(kind), isPossibleOrphan: isPossibleOrphan))
        }
    }

    @Test("a success that echoes something else needs attention", arguments: BankFixture.mismatches)
    func mismatch(_ example: Named<(kind: OperationKind, body: JSONValue, field: String)>) {
        let response = BankResponse(status: 200, body: .json(example.value.body))
        #expect(
            Verdict.of(BankFixture.action(example.value.kind), .response(response), ambiguousSends: 0)
                == .needsAttention(reason: "bank_echoed_other_\(example.value.field)")
        )
    }

    @Test("a success that lacks something is ambiguous", arguments: BankFixture.unreadable)
    func unreadable(_ example: Named<(kind: OperationKind, body: JSONValue)>) {
        let response = BankResponse(status: 200, body: .json(example.value.body))
        #expect(
            Verdict.of(BankFixture.action(example.value.kind), .response(response), ambiguousSends: 0)
                == .ambiguous(reason: "success_unreadable", isComplete: true)
        )
    }
}

extension Verdict {
    fileprivate var expected: VerdictTableTests.Expected? {
        switch self {
        case .declined: .declined
        case .expired: .expired
        case .ambiguous: .ambiguous
        case .needsAttention: .needsAttention
        case .succeeded, .notSent: nil
        }
    }
}
