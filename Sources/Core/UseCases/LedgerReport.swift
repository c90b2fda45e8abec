/// Compares every payment with what the bank says of it. Only asks: nothing is changed, here or there.
package struct LedgerReport: Sendable {
    private let ledger: any PaymentLedger
    private let bank: any BankQueries
    private let time: any TimeSource
    private let timeout: Duration

    /// Payments of one page, and questions to the bank at a time.
    private static let page = 200
    private static let questions = 16
    /// A question is asked so often before its answer counts as none: the bank's injected failures hit questions too.
    private static let tries = 4
    private static let pause = Duration.milliseconds(100)

    package struct Totals: Hashable, Sendable {
        package var agree = 0
        package var differ = 0
        package var unknown = 0

        package var count: Int { agree + differ + unknown }

        package var json: JSONValue {
            .object(["agree": .integer(agree), "differ": .integer(differ), "unknown": .integer(unknown)])
        }
    }

    package init(ledger: any PaymentLedger, bank: any BankQueries, time: any TimeSource, timeout: Duration) {
        self.ledger = ledger
        self.bank = bank
        self.time = time
        self.timeout = timeout
    }

    /// - Parameters:
    ///   - since: only payments that were opened then or later.
    ///   - show: told of each, in the order of their ids, with the totals up to it.
    package func run(
        since: Timestamp?,
        _ show: (LedgerComparison, Totals) -> Void
    ) async throws(StoreError) -> Totals {
        var totals = Totals()
        var last: PaymentID?
        while true {
            let payments = try await ledger.page(after: last, since: since, limit: Self.page)
            for comparison in await compare(payments) {
                switch comparison.agrees {
                case true?: totals.agree += 1
                case false?: totals.differ += 1
                case nil: totals.unknown += 1
                }
                show(comparison, totals)
            }
            guard let end = payments.last, payments.count == Self.page else { return totals }
            last = end.id
        }
    }

    /// In the order of the payments.
    private func compare(_ payments: [Payment]) async -> [LedgerComparison] {
        await withTaskGroup(of: (Int, LedgerComparison).self) { group in
            var comparisons: [LedgerComparison?] = payments.map { _ in nil }
            for (index, payment) in payments.enumerated() {
                if index >= Self.questions, let (done, comparison) = await group.next() {
                    comparisons[done] = comparison
                }
                group.addTask { (index, await compare(payment)) }
            }
            for await (index, comparison) in group { comparisons[index] = comparison }
            return comparisons.compactMap(\.self)
        }
    }

    private func compare(_ payment: Payment) async -> LedgerComparison {
        var answers: [BankAnswer] = []
        for query in LedgerComparison.questions(about: payment) { answers.append(await ask(query)) }
        var isMissingProof = false
        if answers.contains(where: \.isNotFound), await isWell() {
            // Its database down gives "not found" too (trap B5): it counts when the bank is well before and after.
            answers = []
            for query in LedgerComparison.questions(about: payment) { answers.append(await ask(query)) }
            isMissingProof = await isWell()
        }
        return LedgerComparison(payment, answers, isMissingProof: isMissingProof)
    }

    private func isWell() async -> Bool {
        guard case .response(let response) = await bank.ask(.health, timeout: timeout) else { return false }
        return response.status == 200
    }

    private func ask(_ query: BankQuery) async -> BankAnswer {
        var answer = await bank.ask(query, timeout: timeout)
        for attempt in 1..<Self.tries where answer.isTrouble {
            guard (try? await time.sleep(for: Self.pause * attempt)) != nil else { break }
            answer = await bank.ask(query, timeout: timeout)
        }
        return answer
    }
}

extension BankAnswer {
    fileprivate var isNotFound: Bool {
        guard case .response(let response) = self else { return false }
        return response.status == 404
    }

    /// Another try may bring a better answer.
    fileprivate var isTrouble: Bool {
        guard case .response(let response) = self, case .json = response.body else { return true }
        return response.status >= 500
    }
}
