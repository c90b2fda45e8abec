import Testing

@testable import Core

/// The table of verdicts, written out: every operation, every code, sent before or not, and every way to have no answer.
@Suite("Verdict table", .timeLimit(.minutes(1)))
struct VerdictTableTests {
    enum Expected: Hashable { case declined, expired, ambiguous, needsAttention, notExecuted }

    /// What a 400 with a code means on a first send, and after one whose outcome is not known. What is not here is ambiguous both
    /// times.
    static let refusals: [OperationKind: [String: (first: Expected, afterAmbiguous: Expected)]] = [
        .authorize: [
            "invalid_card": (.declined, .declined), "invalid_cvv": (.declined, .declined),
            "invalid_amount": (.declined, .declined), "card_expired": (.declined, .declined),
            "insufficient_funds": (.declined, .declined),
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

    static let histories = [
        EarlierSends.none, EarlierSends(unanswered: 1), EarlierSends(failed: 1), EarlierSends(unanswered: 2, failed: 3),
    ]

    @Test("every code of the bank is in the table")
    func complete() {
        #expect(Set(BankCode.allCases.map(\.rawValue)).union(["a_new_code"]) == Set(Self.codes))
    }

    @Test("a refusal with 400 or 404", arguments: OperationKind.allCases, codes)
    func refusal(kind: OperationKind, code: String) {
        for status in [400, 404, 418] {
            for sends in Self.histories {
                let row = Self.refusals[kind]?[code]
                let expected = (sends.isEmpty ? row?.first : row?.afterAmbiguous) ?? .ambiguous
                let verdict = Verdict.of(
                    BankFixture.action(kind),
                    .response(BankFixture.error(code, status: status)),
                    sends: sends
                )
                #expect(verdict.expected == expected, "\(status), \(sends)")
                switch verdict {
                case .declined(let refusal, _), .expired(let refusal):
                    #expect(refusal == BankRefusal(code: code, message: "the bank's words"))
                case .ambiguous(_, let ambiguity): #expect(ambiguity == .failed)
                default: break
                }
            }
        }
    }

    @Test("402 and 422 say no to the payment, whatever the code; only an internal error does not", arguments: codes)
    func paymentRefused(code: String) {
        for status in [402, 422] {
            for kind in OperationKind.allCases {
                let answer = BankAnswer.response(BankFixture.error(code, status: status))
                let first = Verdict.of(BankFixture.action(kind), answer, sends: .none)
                let isExpired = kind == .capture && code == "authorization_expired"
                let expected: Expected = code == "internal_error" ? .ambiguous : isExpired ? .expired : .declined
                #expect(first.expected == expected, "\(kind) \(status)")
                let later = Verdict.of(BankFixture.action(kind), answer, sends: EarlierSends(unanswered: 1))
                #expect(later.expected == (kind == .authorize && code != "internal_error" ? .declined : .ambiguous))
            }
        }
    }

    @Test("a decline after an unanswered authorize leaves a suspicion only where a hold can be its cause")
    func orphanBehindDecline() {
        func orphan(_ code: String, status: Int, _ sends: EarlierSends) -> PossibleOrphan?? {
            let answer = BankAnswer.response(BankFixture.error(code, status: status))
            guard case .declined(_, let orphan) = Verdict.of(BankFixture.action(.authorize), answer, sends: sends)
            else { return nil }
            return .some(orphan)
        }
        let (unanswered, failed) = (EarlierSends(unanswered: 1), EarlierSends(failed: 1))
        #expect(orphan("insufficient_funds", status: 402, unanswered) == .some(.suspected))
        #expect(orphan("insufficient_funds", status: 402, failed) == .some(.unlikely))
        #expect(orphan("insufficient_funds", status: 402, .none) == .some(nil))
        #expect(orphan("limit_exceeded", status: 422, unanswered) == .some(.suspected))
        #expect(orphan("invalid_card", status: 400, unanswered) == .some(.unlikely))
        for code in ["card_expired", "invalid_cvv", "invalid_amount"] {
            #expect(orphan(code, status: 400, unanswered) == .some(nil))
        }
    }

    @Test(
        "what comes from before the bank's door is not executed, whatever its body",
        arguments: OperationKind.allCases
    )
    func door(kind: OperationKind) {
        let bodies = [#"{"error":"invalid_card","message":"m"}"#, "<html>", ""]
        let doors: [(status: Int, door: BankDoor)] = [
            (429, .throttled(.seconds(7))), (401, .accessRefused(status: 401)), (403, .accessRefused(status: 403)),
            (407, .accessRefused(status: 407)), (409, .busy), (423, .busy), (425, .busy),
        ]
        for (status, door) in doors {
            for body in bodies {
                let response = BankResponse(
                    status: status,
                    bytes: Array(body.utf8),
                    isReplayed: false,
                    retryAfter: .seconds(7)
                )
                for sends in Self.histories {
                    let verdict = Verdict.of(BankFixture.action(kind), .response(response), sends: sends)
                    #expect(verdict == .notExecuted(reason: "http_\(status)", door))
                }
            }
        }
        let endless = BankResponse(status: 429, body: .text(""), retryAfter: .seconds(86_400))
        #expect(endless.retryAfter == .seconds(3_600))
    }

    @Test("a code with a 5xx proves nothing", arguments: OperationKind.allCases, codes)
    func serverError(kind: OperationKind, code: String) {
        for status in [500, 502, 503, 504, 599] {
            let answer = BankAnswer.response(BankFixture.error(code, status: status))
            let ambiguity: Ambiguity = status == 502 || status == 504 ? .gateway : .failed
            for sends in Self.histories {
                #expect(
                    Verdict.of(BankFixture.action(kind), answer, sends: sends)
                        == .ambiguous(reason: "http_\(status)", ambiguity)
                )
            }
        }
    }

    @Test("internal_error with any status proves nothing", arguments: OperationKind.allCases)
    func internalError(kind: OperationKind) {
        for status in [200, 400, 402, 404, 422, 500] {
            let answer = BankAnswer.response(BankFixture.error("internal_error", status: status))
            #expect(Verdict.of(BankFixture.action(kind), answer, sends: .none).expected == .ambiguous)
        }
    }

    @Test("other statuses, and bodies without a code, prove nothing", arguments: OperationKind.allCases)
    func strangeAnswers(kind: OperationKind) {
        let bodies: [JSONValue] = [
            .null, .array([]), .object([:]), .object(["error": .number("1")]), .object(["error": .string("")]),
            .string("x"),
        ]
        for status in [100, 199, 200, 204, 300, 302, 304, 399, 400, 402, 404, 418, 422, 499, 500, 600, 0, -1] {
            for body in bodies {
                let answer = BankAnswer.response(BankResponse(status: status, body: .json(body)))
                for sends in Self.histories {
                    let verdict = Verdict.of(BankFixture.action(kind), answer, sends: sends)
                    #expect(verdict.expected == .ambiguous, "\(status) \(body)")
                }
            }
        }
    }

    @Test("what is not JSON is ambiguous, and what may have been executed is distinguished from what was not")
    func notJSON() {
        let ambiguities: [(status: Int, ambiguity: Ambiguity)] = [
            (200, .unreadable), (400, .failed), (404, .failed), (500, .gateway), (502, .gateway), (503, .failed),
        ]
        for (status, ambiguity) in ambiguities {
            for text in ["", "Bad Request", "<html>", "{\"error\":\"invalid_card\""] {
                for kind in OperationKind.allCases {
                    let response = BankResponse(status: status, bytes: Array(text.utf8), isReplayed: false)
                    #expect(
                        Verdict.of(BankFixture.action(kind), .response(response), sends: .none)
                            == .ambiguous(reason: "http_\(status)_not_json", ambiguity)
                    )
                }
            }
        }
    }

    @Test("no answer is ambiguous and may still be executing; not sent is just that", arguments: OperationKind.allCases)
    func transport(kind: OperationKind) {
        for sends in Self.histories {
            let action = BankFixture.action(kind)
            #expect(
                Verdict.of(action, .noAnswer(reason: "timeout"), sends: sends)
                    == .ambiguous(reason: "timeout", .noAnswer)
            )
            #expect(
                Verdict.of(action, .notSent(reason: "refused"), sends: sends) == .notSent(reason: "refused")
            )
        }
    }

    @Test("a success is one with any 2xx, and tells of orphans and of a store that has forgotten")
    func success() {
        typealias Row = (isReplayed: Bool, sends: EarlierSends, orphan: PossibleOrphan?, isForgotten: Bool)
        let rows: [Row] = [
            (false, .none, nil, false), (false, EarlierSends(failed: 2), .unlikely, false),
            (false, EarlierSends(unanswered: 1), .suspected, false), (true, .none, nil, true),
            (true, EarlierSends(failed: 1), nil, false), (true, EarlierSends(unanswered: 1, failed: 4), nil, false),
            (true, EarlierSends(unanswered: 2), .suspected, false),
        ]
        for (isReplayed, sends, orphan, isForgotten) in rows {
            for (kind, status) in OperationKind.allCases.flatMap({ kind in [200, 201, 299].map { (kind, $0) } }) {
                let body = BankResponse.Body.json(BankFixture.success(kind))
                let response = BankResponse(status: status, body: body, isReplayed: isReplayed)
                #expect(
                    Verdict.of(BankFixture.action(kind), .response(response), sends: sends)
                        == .succeeded(
                            BankFixture.effect(kind),
                            // Only an authorize can have been executed twice (docs/correctness.md#lost-keys).
                            orphan: kind == .authorize ? orphan : nil,
                            isForgotten: isForgotten
                        )
                )
            }
        }
    }

    @Test("an inquiry believes a replay and nothing else", arguments: OperationKind.allCases)
    func inquiry(kind: OperationKind) {
        let inquiry = BankAction.inquiry(kind, BankFixture.action(kind).expectation)
        let sent = EarlierSends(unanswered: 1)
        let body = BankResponse.Body.json(BankFixture.success(kind))
        let replay = BankAnswer.response(BankResponse(status: 200, body: body, isReplayed: true))
        #expect(
            Verdict.of(inquiry, replay, sends: sent)
                == .succeeded(BankFixture.effect(kind), orphan: nil, isForgotten: false)
        )
        let fresh = BankAnswer.response(BankResponse(status: 200, body: body))
        #expect(Verdict.of(inquiry, fresh, sends: sent).expected == .ambiguous)
        for code in Self.codes where code != "internal_error" {
            let answer = BankAnswer.response(BankFixture.error(code, status: 400))
            #expect(Verdict.of(inquiry, answer, sends: sent) == .keyUnknown)
        }
        let failed = BankAnswer.response(BankFixture.error("internal_error", status: 400))
        #expect(Verdict.of(inquiry, failed, sends: sent).expected == .ambiguous)
    }

    @Test("a success that echoes something else needs attention", arguments: BankFixture.mismatches)
    func mismatch(_ example: Named<(kind: OperationKind, body: JSONValue, field: String)>) {
        let response = BankResponse(status: 200, body: .json(example.value.body))
        #expect(
            Verdict.of(BankFixture.action(example.value.kind), .response(response), sends: .none)
                == .needsAttention(reason: "bank_echoed_other_\(example.value.field)")
        )
    }

    @Test("a success that lacks something is ambiguous", arguments: BankFixture.unreadable)
    func unreadable(_ example: Named<(kind: OperationKind, body: JSONValue)>) {
        let response = BankResponse(status: 200, body: .json(example.value.body))
        #expect(
            Verdict.of(BankFixture.action(example.value.kind), .response(response), sends: .none)
                == .ambiguous(reason: "success_unreadable", .unreadable)
        )
    }

    @Test("a success with another status word is ambiguous", arguments: OperationKind.allCases)
    func otherStatus(kind: OperationKind) {
        for word in ["pending", "processing", "APPROVED", "Captured", "declined"] {
            let body = BankFixture.success(kind, ["status": .string(word)])
            #expect(
                Verdict.of(
                    BankFixture.action(kind),
                    .response(BankResponse(status: 200, body: .json(body))),
                    sends: .none
                )
                    == .ambiguous(reason: "success_status_other", .unreadable)
            )
        }
    }

    @Test("what HTTP and JSON allow is read: another case, a fraction of zeros, null, a byte order mark")
    func tolerated() {
        let changes: [[String: JSONValue?]] = [
            ["currency": .string("usd")], ["currency": .null], ["currency": nil], ["amount": .number("5000.0")],
            ["amount": .number("5000.00")],
        ]
        for change in changes {
            for kind in [OperationKind.authorize, .capture, .refund] {
                let response = BankResponse(status: 200, body: .json(BankFixture.success(kind, change)))
                let verdict = Verdict.of(BankFixture.action(kind), .response(response), sends: .none)
                #expect(verdict == .succeeded(BankFixture.effect(kind), orphan: nil, isForgotten: false))
            }
        }
        let marked = [0xef, 0xbb, 0xbf] + BankFixture.success(.void).encoded
        let response = BankResponse(status: 200, bytes: marked, isReplayed: false)
        #expect(
            Verdict.of(BankFixture.action(.void), .response(response), sends: .none)
                == .succeeded(BankFixture.effect(.void), orphan: nil, isForgotten: false)
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
        case .notExecuted: .notExecuted
        case .succeeded, .notSent, .keyUnknown: nil
        }
    }
}
