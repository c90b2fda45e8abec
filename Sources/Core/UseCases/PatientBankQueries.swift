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
