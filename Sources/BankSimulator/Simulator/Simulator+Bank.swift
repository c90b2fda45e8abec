extension Simulator {
    /// A decision, and the key it leaves to be stored.
    private typealias Decision = (answer: HTTPAnswer, pending: PendingKey?)

    /// A POST of the bank's API, in the bank's order: the key is looked for first, then come latency and failure, and
    /// the body is read last.
    func react(to request: SimulatorRequest, command operation: BankOperation) async throws -> Reaction {
        let key = request.idempotencyKey
        let admission = withState { state, now in
            state.admit(operation, path: request.path, key: key, wallClock: now)
        }
        return try await react(admission) {
            guard let key else { return (.malformed("missing Idempotency-Key header"), nil) }
            if let replay = admission.replay {
                return (HTTPAnswer(replay, precision: .nanoseconds, isReplay: true), nil)
            }
            try await wait(nanoseconds: admission.latency)
            if admission.fails { return (.internalError, nil) }
            guard let command = try? BankCommand(operation, body: request.body) else {
                return (.malformed("invalid request body"), nil)
            }
            let answer = withState { state, now in state.execute(command, key: key, wallClock: now) }
            let isStored = answer.isSuccess && !admission.plan.losesKey
            return (
                HTTPAnswer(answer, precision: .nanoseconds),
                isStored ? PendingKey(operation: operation, key: key, answer: answer) : nil
            )
        }
    }

    /// A GET of the bank's API.
    func react(to request: SimulatorRequest, query: BankQuery) async throws -> Reaction {
        let admission = withState { state, now in
            state.admit(.get, path: request.path, key: nil, wallClock: now)
        }
        return try await react(admission) {
            try await wait(nanoseconds: admission.latency)
            if admission.fails { return (.internalError, nil) }
            let answer = withState { state, _ in state.bank.find(query) }
            return (HTTPAnswer(answer, precision: .microseconds), nil)
        }
    }

    /// Puts the faults of a request around its decision.
    ///
    /// Where an answer is lost on its way, the key is stored all the same: the bank has done its part by then. Losing
    /// the key as well is ``FaultKind/loseKey``.
    private func react(_ admission: Admission, _ decide: () async throws -> Decision) async throws -> Reaction {
        let plan = admission.plan
        try await wait(nanoseconds: plan.latency * 1_000_000)
        switch plan.ending {
        case .down, .dropBefore:
            return .cut
        case .error500:
            return send(.internalError, admission, then: nil)
        case .dropAfter:
            try await decide().pending.map(store)
            return .cut
        case .timeoutAfterExecute:
            let decision = try await decide()
            decision.pending.map(store)
            try await wait(nanoseconds: plan.hold * 1_000_000)
            return send(decision.answer, admission, then: nil)
        case .garbage:
            return send(.garbage, admission, then: try await decide().pending)
        case nil, .loseKey, .latency:
            let decision = try await decide()
            return send(decision.answer, admission, then: decision.pending)
        }
    }

    private func send(_ answer: HTTPAnswer, _ admission: Admission, then pending: PendingKey?) -> Reaction {
        if let sequence = admission.sequence {
            withState { state, _ in state.complete(sequence, status: answer.status) }
        }
        return .answer(answer, then: pending)
    }
}
