import Simulation
import TestSupport
import Testing

@testable import Core

/// docs/contract.md#codes, #commands and #events, and docs/bank.md#api, against the code.
@Suite("The documented codes and types", .timeLimit(.minutes(1)))
struct DocumentedCodesTests {
    private let contract = DocumentationPage("contract.md")
    private let bank = DocumentationPage("bank.md")

    @Test("the processor's codes, each retryable or not")
    func retryable() {
        let documented = contract.table("Code", "Stored", "Retryable", "Meaning")
        #expect(documented.map { $0[0] }.sorted() == RejectionCode.allCases.map(\.rawValue).sorted())
        for row in documented {
            let code = RejectionCode(rawValue: row[0])
            #expect(code?.isRetryable == (row[2] == "yes"), "\(row[0])")
        }
    }

    @Test("the processor's codes, each stored or not: by what a claim writes")
    func stored() throws {
        let stored = Set(
            contract.table("Code", "Stored", "Retryable", "Meaning").filter { $0[1] == "yes" }.map { $0[0] }
        )
        let now = PaymentFixture.createdAt.advanced(by: .seconds(60))
        let authorized = try PaymentFixture.payment(.authorized)
        let capture = try PaymentFixture.command(.capture)
        let late = try PaymentFixture.command(.capture, deadline: PaymentFixture.createdAt)
        let other = try PaymentFixture.operation(.capture, .succeeded)
        let claims: [(code: RejectionCode, decision: ClaimDecision)] = [
            (.idempotencyKeyReused, decide(capture, existing: other, authorized, now)),
            (.deadlinePassed, decide(late, authorized, now)),
            (.paymentExists, decide(try PaymentFixture.command(.authorize), authorized, now)),
            (.paymentNotFound, decide(capture, nil, now)),
            (.amountMismatch, decide(try PaymentFixture.command(.capture, amount: 1), authorized, now)),
            (.invalidTransition, decide(try PaymentFixture.command(.refund), authorized, now)),
        ]
        for (code, decision) in claims {
            switch decision.outcome {
            case .rejected(code, _): #expect(!stored.contains(code.rawValue), "\(code) is not stored")
            case .completed(let operation, isReplay: false):
                let reply = try JSONParser.parse(try #require(operation.reply))
                #expect(reply["error"]?["code"]?.string == code.rawValue)
                #expect(stored.contains(code.rawValue), "\(code) is stored")
            default: Issue.record("\(code): \(decision.outcome)")
            }
        }
        // The rest comes without a claim, so there is no row to store it in.
        #expect(stored.isSubset(of: claims.map(\.code.rawValue)))
    }

    private func decide(
        _ command: Command,
        existing: Operation? = nil,
        _ payment: Payment?,
        _ now: Timestamp
    ) -> ClaimDecision {
        let request = ClaimRequest(
            command: command,
            operationID: OperationID(UniqueID(high: 3, low: 4)),
            token: ClaimToken(UniqueID(high: 5, low: 5)),
            lease: .seconds(40),
            hasWaited: true
        )
        let fingerprinter = Fingerprinter(secret: Array("secret".utf8))
        return ClaimDecision(request, existing: existing, payment: payment, now: now, fingerprinter: fingerprinter)
    }

    @Test("the bank's codes are those of its API")
    func bankCodes() {
        let rows = bank.table("Request", "Body", "Answer with 200", "Error codes")
        let words = rows.flatMap { $0[3].split { !$0.isLetter && $0 != "_" }.map(String.init) }
        let documented = Set(words.filter { $0.contains("_") }).union(["internal_error"])
        #expect(documented == Set(BankCode.allCases.map(\.rawValue)))
        #expect(bank.section("API").contains("`internal_error`"))
    }

    @Test("the events, each with its routing key and type")
    func events() {
        let documented = contract.table("Routing key", "Type", "When").map { Array($0[0...1]) }
        #expect(documented == PaymentEvent.Name.allCases.map { [$0.routingKey, $0.type] })
    }

    @Test("the types of the commands, and every header that a command may have")
    func commands() {
        let rows = contract.table("Property or header", "Required", "Rule")
        let types = rows.first { $0[0] == "type" }?[2] ?? ""
        for kind in OperationKind.allCases { #expect(types.contains(kind.commandType), "\(kind)") }
        let headers = Set(rows.map { $0[0] }.filter { $0.hasPrefix("header ") }.map { String($0.dropFirst(7)) })
        #expect(
            headers == [
                HeaderName.paymentID, HeaderName.idempotencyKey, HeaderName.merchantID, HeaderName.deadline,
                HeaderName.traceparent,
            ]
        )
    }

    @Test("the states of a payment and the steps between them")
    func states() {
        let lines = DocumentationPage("correctness.md").section("States").split(separator: "\n")
        let steps: [[String]] = lines.compactMap { line in
            let words = line.split(separator: ":")[0].split(separator: " ").map(String.init)
            return words.count == 3 && words[1] == "-->" && words[0] != "[*]" ? [words[0], words[2]] : nil
        }
        let allowed = PaymentStatus.allCases.flatMap { from in
            PaymentStatus.allCases.filter(from.mayBecome).map { [from.rawValue, $0.rawValue] }
        }
        #expect(Set(steps) == Set(allowed))
        #expect(steps.count == allowed.count)
    }

    @Test("what the simulation says when a promise is broken is a heading of docs/correctness.md")
    func promises() {
        let lines = DocumentationPage("correctness.md").text.split(separator: "\n")
        let headings = lines.filter { $0.hasPrefix("### ") }.map { line in
            line.dropFirst(4).lowercased().replacing(",", with: "").replacing(" ", with: "-")
        }
        for promise in Violation.Invariant.allCases { #expect(headings.contains(promise.rawValue), "\(promise)") }
    }
}
