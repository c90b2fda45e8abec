import Synchronization
import Testing

@testable import Core

/// The comparison of ledgers over a bank that answers as it is told.
@Suite("The report on the ledgers", .timeLimit(.minutes(1)))
struct LedgerReportTests {
    private struct Ledger: PaymentLedger {
        let payments: [LedgerPayment]

        func page(after last: PaymentID?, since: Timestamp?, limit: Int) async throws(StoreError) -> [LedgerPayment] {
            let start = last.map { last in payments.firstIndex { $0.payment.id > last } ?? payments.count } ?? 0
            return Array(payments[start...].prefix(limit))
        }
    }

    private final class Answering: BankQueries {
        private let answer: @Sendable (BankQuery) -> BankAnswer
        private let taken = Mutex<[BankQuery]>([])

        init(_ answer: @escaping @Sendable (BankQuery) -> BankAnswer) {
            self.answer = answer
        }

        var asked: [BankQuery] { taken.withLock { $0 } }

        func ask(_ query: BankQuery, timeout: Duration) async -> BankAnswer {
            taken.withLock { $0.append(query) }
            return answer(query)
        }
    }

    fileprivate static let agreeing = BankAnswer.response(
        BankResponse(status: 200, body: .json(BankFixture.success(.authorize)))
    )
    private static let missing = BankAnswer.response(BankFixture.error("not_found", status: 404))
    private static let gone = BankAnswer.notSent(reason: "connect_failed")

    /// So many authorized payments.
    private static func payments(_ count: Int, orphan: PossibleOrphan? = nil) throws -> [LedgerPayment] {
        try (0..<count).map { number in
            let sample = try PaymentFixture.payment(.authorized)
            let payment = Payment(
                id: PaymentID(UniqueID(high: 1, low: UInt64(number))),
                merchantID: sample.merchantID,
                orderID: sample.orderID,
                customerID: sample.customerID,
                amount: sample.amount,
                createdAt: sample.createdAt,
                status: .authorized,
                activeOperation: nil,
                bank: sample.bank
            )
            return LedgerPayment(payment, orphan: orphan)
        }
    }

    private func report(
        _ payments: [LedgerPayment],
        _ bank: any BankQueries,
        concurrency: Int = 16
    ) -> LedgerReport {
        LedgerReport(
            ledger: Ledger(payments: payments),
            bank: bank,
            // Nothing goes by: the pauses between two tries are over at once.
            time: StandingTime(),
            timeout: .seconds(1),
            concurrency: concurrency
        )
    }

    /// Answers when so many wait for it, and keeps the most that did.
    private actor Crowd: BankQueries {
        let size: Int
        private var waiting: [CheckedContinuation<Void, Never>] = []
        private(set) var most = 0

        init(size: Int) { self.size = size }

        func ask(_ query: BankQuery, timeout: Duration) async -> BankAnswer {
            // The first question finds out whether the bank is there, alone.
            if most == 0 {
                most = 1
                return LedgerReportTests.agreeing
            }
            await withCheckedContinuation { continuation in
                waiting.append(continuation)
                most = max(most, waiting.count)
                guard waiting.count == size else { return }
                for continuation in waiting { continuation.resume() }
                waiting = []
            }
            return LedgerReportTests.agreeing
        }
    }

    @Test("as many payments are asked about at a time as the bank takes, and no more", arguments: [1, 7, 40])
    func concurrency(_ size: Int) async throws {
        let bank = Crowd(size: size)
        let totals = try await report(Self.payments(size * 3), bank, concurrency: size).run(since: nil) { _, _ in }
        #expect(totals == LedgerReport.Totals(agree: size * 3))
        #expect(await bank.most == size)
    }

    @Test("every payment is shown once, in the order of their ids, over several pages")
    func pages() async throws {
        let bank = Answering { _ in Self.agreeing }
        let shown = Mutex<[PaymentID]>([])
        let payments = try Self.payments(450)
        let totals = try await report(payments, bank).run(since: nil) { comparison, _ in
            shown.withLock { $0.append(comparison.payment.id) }
        }
        #expect(shown.withLock { $0 } == payments.map(\.payment.id))
        #expect(totals == LedgerReport.Totals(agree: 450))
        #expect(totals.isClean(allowsUnknown: false))
        #expect(totals.json.encoded == Array(#"{"agree":450,"differ":0,"possible_orphans":0,"unknown":0}"#.utf8))
    }

    @Test("suspected orphans are counted, unlikely ones are shown only")
    func orphans() async throws {
        let bank = Answering { _ in Self.agreeing }
        let suspected = try await report(Self.payments(2, orphan: .suspected), bank).run(since: nil) { _, _ in }
        #expect(suspected == LedgerReport.Totals(agree: 2, possibleOrphans: 2))
        #expect(!suspected.isClean(allowsUnknown: true))
        let unlikely = try await report(Self.payments(2, orphan: .unlikely), bank).run(since: nil) { _, _ in }
        #expect(unlikely == LedgerReport.Totals(agree: 2) && unlikely.isClean(allowsUnknown: false))
    }

    @Test(
        "a bank that cannot be reached at all ends the report before anything is shown",
        arguments: [.notSent(reason: "connect_failed"), .noAnswer(reason: "timed_out")] as [BankAnswer]
    )
    func unreachable(answer: BankAnswer) async throws {
        let bank = Answering { _ in answer }
        let report = try report(Self.payments(3), bank)
        await #expect(throws: LedgerReport.Failure.bankUnreachable(answer.word)) {
            try await report.run(since: nil) { _, _ in Issue.record("shown") }
        }
        #expect(bank.asked.last == .health)
    }

    @Test("a bank that is there, and answers no question, leaves all of it unknown, which may be allowed")
    func unanswered() async throws {
        let bank = Answering { $0 == .health ? Self.agreeing : Self.gone }
        let totals = try await report(Self.payments(3), bank).run(since: nil) { _, _ in }
        #expect(totals == LedgerReport.Totals(unknown: 3))
        #expect(!totals.isClean(allowsUnknown: false) && totals.isClean(allowsUnknown: true))
    }

    @Test("an unreachable bank is said also where no payment has anything to ask")
    func nothingToAsk() async throws {
        let failed = LedgerPayment(try PaymentFixture.payment(.failed))
        for payments in [[], [failed]] {
            let bank = Answering { _ in Self.gone }
            await #expect(throws: LedgerReport.Failure.bankUnreachable("connect_failed")) {
                try await report(payments, bank).run(since: nil) { _, _ in }
            }
            let reached = Answering { _ in Self.agreeing }
            let totals = try await report(payments, reached).run(since: nil) { _, _ in }
            #expect(totals == LedgerReport.Totals(agree: payments.count) && reached.asked == [.health])
        }
    }

    @Test("not found is a difference where the bank is well before and after, and nothing where it is not")
    func missing() async throws {
        let well = Answering { $0 == .health ? Self.agreeing : Self.missing }
        let differing = try await report(Self.payments(1), well).run(since: nil) { _, _ in }
        #expect(differing == LedgerReport.Totals(differ: 1) && !differing.isClean(allowsUnknown: true))
        let ill = Answering { _ in Self.missing }
        #expect(try await report(Self.payments(1), ill).run(since: nil) { _, _ in } == LedgerReport.Totals(unknown: 1))
    }
}

/// Sleeps are over at once.
private struct StandingTime: TimeSource {
    func now() -> Timestamp { Timestamp(microseconds: 0) }

    func uptime() -> Duration { .zero }

    func sleep(for duration: Duration) async throws(CancellationError) {}
}

extension BankAnswer {
    fileprivate var word: String {
        switch self {
        case .notSent(let reason), .noAnswer(let reason): reason
        case .response: ""
        }
    }
}

@Suite("Our ledger against the bank's answers", .timeLimit(.minutes(1)))
struct LedgerComparisonTests {
    private static func answer(_ body: JSONValue, status: Int = 200) -> BankAnswer {
        .response(BankResponse(status: status, body: .json(body)))
    }

    private static let authorization = answer(BankFixture.success(.authorize))
    private static let capture = answer(BankFixture.success(.capture))
    private static let missing = answer(.object(["error": .string("not_found")]), status: 404)

    private func agrees(
        _ status: PaymentStatus,
        _ answers: [BankAnswer],
        isMissingProof: Bool = true
    ) throws -> Bool? {
        let payment = try PaymentFixture.payment(status)
        #expect(LedgerComparison.questions(about: payment).count == answers.count)
        return LedgerComparison(payment, answers, isMissingProof: isMissingProof).agrees
    }

    @Test("what the bank says as we have it agrees")
    func agree() throws {
        #expect(try agrees(.failed, []) == true)
        #expect(try agrees(.authorized, [Self.authorization]) == true)
        #expect(try agrees(.captured, [Self.authorization, Self.capture]) == true)
    }

    @Test("another amount, another id, or nothing at all where the bank is well, differs")
    func differ() throws {
        let other = Self.answer(BankFixture.success(.authorize, ["amount": .integer(4_999)]))
        #expect(try agrees(.authorized, [other]) == false)
        let foreign = Self.answer(BankFixture.success(.capture, ["authorization_id": .string("auth_9")]))
        #expect(try agrees(.captured, [Self.authorization, foreign]) == false)
        #expect(try agrees(.captured, [Self.authorization, Self.missing]) == false)
        // A difference is one whatever else is not known.
        #expect(try agrees(.captured, [.noAnswer(reason: "timeout"), Self.missing]) == false)
    }

    @Test("an operation under way, or no answer, cannot be said")
    func unknown() throws {
        #expect(try agrees(.pending, []) == nil)
        #expect(try agrees(.capturing, [Self.authorization]) == nil)
        #expect(try agrees(.authorized, [.noAnswer(reason: "timeout")]) == nil)
        #expect(try agrees(.authorized, [Self.missing], isMissingProof: false) == nil)
        let trouble = Self.answer(.object(["error": .string("internal_error")]), status: 500)
        #expect(try agrees(.authorized, [trouble]) == nil)
    }

    @Test("its JSON has the keys of the contract")
    func json() throws {
        let payment = try PaymentFixture.payment(.authorized)
        let json = LedgerComparison(payment, [Self.authorization], isMissingProof: true).json
        guard case .object(let members) = json else { return }
        #expect(members.keys.sorted() == ["agrees", "bank", "id", "ours", "possible_orphan"])
        #expect(json["possible_orphan"] == .null)
        let orphan = LedgerComparison(payment, orphan: .suspected, [Self.authorization], isMissingProof: true)
        #expect(orphan.json["possible_orphan"]?.string == "suspected" && orphan.agrees == true)
        #expect(json["ours"] == payment.json)
        #expect(json["bank"]?["authorization"]?["authorization_id"]?.string == "auth_1")
        #expect(json["bank"]?["capture"] == .null)
    }
}
