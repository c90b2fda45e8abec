/// Asks the bank about an operation that an operator wants to end. Executes nothing.
struct BankWitness: Sendable {
    let bank: any Bank
    let questions: PatientBankQueries

    /// What the bank has stored under the operation's key.
    ///
    /// - Throws: where nothing is learnt. "Unknown" is an answer only of a bank that is well: its key store may be down
    ///   (docs/correctness.md#codes-that-lie).
    func testimony(
        underKeyOf operation: Operation,
        of payment: Payment
    ) async throws(ResolutionRefusal) -> KeyTestimony {
        let request = BankRequest(
            action: .inquiry(about: operation.kind, of: payment),
            idempotencyKey: operation.bankKey,
            traceparent: operation.route.traceparent,
            timeout: questions.timeout
        )
        var answer = await bank.send(request)
        for attempt in 1..<PatientBankQueries.tries where answer.isCompleteTrouble {
            guard (try? await questions.time.sleep(for: PatientBankQueries.pause * attempt)) != nil else { break }
            answer = await bank.send(request)
        }
        guard let testimony = KeyTestimony(answer, about: operation, of: payment) else {
            throw .bankUnavailable(answer.cause)
        }
        if testimony == .unknown, await !questions.isWell() { throw .bankUnavailable("unhealthy") }
        return testimony
    }

    /// What the bank has under an id of its own.
    func testimony(
        on query: BankQuery,
        id: String,
        about kind: OperationKind,
        of payment: Payment
    ) async throws(ResolutionRefusal) -> IDTestimony {
        let (answers, isMissingProof) = await questions.answers(to: [query])
        let answer = answers.first ?? .notSent(reason: "not_asked")
        let testimony = IDTestimony(answer, to: id, about: kind, of: payment, isMissingProof: isMissingProof)
        guard let testimony else { throw .bankUnavailable(answer.cause) }
        return testimony
    }
}

extension BankAnswer {
    /// An answer that says nothing, but came at once: the bank may be asked again. One that did not come is waited for only once.
    fileprivate var isCompleteTrouble: Bool {
        guard case .response = self else { return false }
        return isTrouble || isInternalError
    }

    private var isInternalError: Bool {
        guard case .response(let response) = self, case .json(let body) = response.body else { return false }
        return body["error"]?.string == BankCode.internalError.rawValue
    }
}
