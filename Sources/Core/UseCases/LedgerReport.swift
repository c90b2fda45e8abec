/// Compares every payment with what the bank says of it. Only asks: nothing is changed, here or there.
package struct LedgerReport: Sendable {
    private let ledger: any PaymentLedger
    private let questions: PatientBankQueries

    private let concurrency: Int
    /// Payments that are held in memory: so many that hardly any request waits for the end of a page.
    private let page: Int

    package struct Totals: Hashable, Sendable {
        package var agree = 0
        package var differ = 0
        package var unknown = 0
        /// Payments of which the bank is suspected to have a second hold.
        package var possibleOrphans = 0

        package init(agree: Int = 0, differ: Int = 0, unknown: Int = 0, possibleOrphans: Int = 0) {
            self.agree = agree
            self.differ = differ
            self.unknown = unknown
            self.possibleOrphans = possibleOrphans
        }

        package var count: Int { agree + differ + unknown }

        /// - Parameter allowsUnknown: whether what could not be determined is fine.
        package func isClean(allowsUnknown: Bool) -> Bool {
            differ == 0 && possibleOrphans == 0 && (unknown == 0 || allowsUnknown)
        }

        package var json: JSONValue {
            .object([
                "agree": .integer(agree), "differ": .integer(differ), "possible_orphans": .integer(possibleOrphans),
                "unknown": .integer(unknown),
            ])
        }

        fileprivate mutating func count(_ comparison: LedgerComparison) {
            switch comparison.agrees {
            case true?: agree += 1
            case false?: differ += 1
            case nil: unknown += 1
            }
            if comparison.orphan == .suspected { possibleOrphans += 1 }
        }
    }

    package enum Failure: Error, Hashable, Sendable {
        case store(StoreError)
        /// Nothing was compared: a code.
        case bankUnreachable(String)
    }

    /// - Parameter concurrency: the most questions to the bank at a time.
    package init(
        ledger: any PaymentLedger,
        bank: any BankQueries,
        time: any TimeSource,
        timeout: Duration,
        concurrency: Int
    ) {
        self.ledger = ledger
        self.concurrency = concurrency
        page = max(200, concurrency * 4)
        questions = PatientBankQueries(bank: bank, time: time, timeout: timeout)
    }

    /// - Parameters:
    ///   - since: only payments that were opened then or later.
    ///   - show: told of each, in the order of their ids, with the totals up to it.
    package func run(
        since: Timestamp?,
        _ show: (LedgerComparison, Totals) -> Void
    ) async throws(Failure) -> Totals {
        var totals = Totals()
        var last: PaymentID?
        var hasAsked = false
        while true {
            let payments = try await payments(after: last, since)
            if !hasAsked {
                try await reach(payments.lazy.flatMap { LedgerComparison.questions(about: $0.payment) }.first)
                hasAsked = true
            }
            for comparison in await compare(payments) {
                totals.count(comparison)
                show(comparison, totals)
            }
            guard let end = payments.last, payments.count == page else { return totals }
            last = end.payment.id
        }
    }

    private func payments(after last: PaymentID?, _ since: Timestamp?) async throws(Failure) -> [LedgerPayment] {
        do throws(StoreError) {
            return try await ledger.page(after: last, since: since, limit: page)
        } catch {
            throw .store(error)
        }
    }

    /// Before anything is compared: whether the bank is there at all.
    private func reach(_ query: BankQuery?) async throws(Failure) {
        let answer = await questions.ask(query ?? .health)
        if case .response = answer { return }
        if case .response = await questions.ask(.health) { return }
        throw .bankUnreachable(answer.cause)
    }

    /// In the order of the payments.
    private func compare(_ payments: [LedgerPayment]) async -> [LedgerComparison] {
        await withTaskGroup(of: (Int, LedgerComparison).self) { group in
            var comparisons: [LedgerComparison?] = payments.map { _ in nil }
            for (index, payment) in payments.enumerated() {
                if index >= concurrency, let (done, comparison) = await group.next() {
                    comparisons[done] = comparison
                }
                group.addTask { (index, await compare(payment)) }
            }
            for await (index, comparison) in group { comparisons[index] = comparison }
            return comparisons.compactMap(\.self)
        }
    }

    private func compare(_ entry: LedgerPayment) async -> LedgerComparison {
        let queries = LedgerComparison.questions(about: entry.payment)
        let (answers, isMissingProof) = await questions.answers(to: queries)
        return LedgerComparison(entry.payment, orphan: entry.orphan, answers, isMissingProof: isMissingProof)
    }
}

/// Questions to a bank that fails now and then: asked again, and "not found" is believed only where the bank is well.
struct PatientBankQueries: Sendable {
    let bank: any BankQueries
    let time: any TimeSource
    let timeout: Duration

    /// A question is asked so often before its answer counts as none: the bank's injected failures hit questions too.
    static let tries = 4
    static let pause = Duration.milliseconds(100)

    func ask(_ query: BankQuery) async -> BankAnswer {
        var answer = await bank.ask(query, timeout: timeout)
        for attempt in 1..<Self.tries where answer.isTrouble {
            guard (try? await time.sleep(for: Self.pause * attempt)) != nil else { break }
            answer = await bank.ask(query, timeout: timeout)
        }
        return answer
    }

    /// The answers, in the order of the questions.
    ///
    /// - Returns: with them, whether "not found" may be believed. A bank whose database is down says so too
    ///   (docs/correctness.md#codes-that-lie): it counts when the bank is well before and after.
    func answers(to queries: [BankQuery]) async -> (answers: [BankAnswer], isMissingProof: Bool) {
        let answers = await inTurn(queries)
        guard answers.contains(where: \.isNotFound), await isWell() else { return (answers, false) }
        let again = await inTurn(queries)
        return (again, await isWell())
    }

    func isWell() async -> Bool {
        guard case .response(let response) = await bank.ask(.health, timeout: timeout) else { return false }
        return response.status == 200
    }

    private func inTurn(_ queries: [BankQuery]) async -> [BankAnswer] {
        var answers: [BankAnswer] = []
        for query in queries { answers.append(await ask(query)) }
        return answers
    }
}

extension BankAnswer {
    fileprivate var isNotFound: Bool {
        guard case .response(let response) = self else { return false }
        return response.status == 404
    }

    /// Another try may bring a better answer.
    var isTrouble: Bool {
        guard case .response(let response) = self, case .json = response.body else { return true }
        return response.status >= 500
    }
}
