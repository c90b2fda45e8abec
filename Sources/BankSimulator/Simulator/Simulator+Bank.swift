extension Simulator {
    /// A POST of the bank's API, in the bank's order: the key is looked for first, then come latency and failure, and
    /// the body is read last.
    func react(to request: SimulatorRequest, command operation: BankOperation) async throws -> Reaction {
        let key = request.idempotencyKey
        let admission = withState { state, now in
            state.admit(operation, path: request.path, key: key, wallClock: now)
        }
        let style = admission.plan.ending?.style
        return try await react(admission) {
            guard let key else { return .malformed("missing Idempotency-Key header") }
            if let replay = admission.replay {
                return HTTPAnswer(replay, precision: .nanoseconds, isReplay: true, style: style)
            }
            try await wait(nanoseconds: admission.latency)
            if admission.fails { return .internalError }
            guard let command = try? BankCommand(operation, body: request.body) else {
                return .malformed("invalid request body")
            }
            let answer = try await execute(command, operation, key: key, plan: admission.plan)
            return HTTPAnswer(answer, precision: .nanoseconds, style: style)
        }
    }

    /// A GET of the bank's API.
    func react(to request: SimulatorRequest, query: BankQuery) async throws -> Reaction {
        let admission = withState { state, now in
            state.admit(.get, path: request.path, key: nil, wallClock: now)
        }
        return try await react(admission) {
            try await wait(nanoseconds: admission.latency)
            if admission.fails { return .internalError }
            let answer = withState { state, _ in state.bank.find(query) }
            return HTTPAnswer(answer, precision: .microseconds, style: admission.plan.ending?.style)
        }
    }

    /// Executes a command and stores its key. Whoever hangs up in between leaves an effect without a key.
    private func execute(
        _ command: BankCommand,
        _ operation: BankOperation,
        key: String,
        plan: FaultPlan
    ) async throws -> BankAnswer {
        let execution = withState { state, now in state.execute(command, key: key, plan: plan, wallClock: now) }
        if let delay = execution.storesKeyAfter {
            try await wait(nanoseconds: delay)
            withState { state, now in state.store(execution.answer, for: operation, key: key, wallClock: now) }
        }
        return execution.answer
    }

    /// Puts the faults of a request around its decision, and notes when its caller hung up.
    private func react(_ admission: Admission, _ decide: () async throws -> HTTPAnswer) async throws -> Reaction {
        do {
            guard let answer = try await answer(admission.plan, decide) else { return .cut }
            if let sequence = admission.sequence {
                withState { state, _ in state.complete(sequence, status: answer.status) }
            }
            return .answer(answer)
        } catch {
            if let sequence = admission.sequence { withState { state, _ in state.giveUp(sequence) } }
            throw error
        }
    }

    /// What the faults make of a decision, whose key is stored by then; nil for no answer.
    private func answer(_ plan: FaultPlan, _ decide: () async throws -> HTTPAnswer) async throws -> HTTPAnswer? {
        try await wait(nanoseconds: plan.latency * 1_000_000)
        guard let fault = plan.ending else { return try await decide() }
        if fault.preventsExecution {
            switch fault.kind {
            case .error500: return .internalError
            case .status: return fault.answer.map { HTTPAnswer($0) }
            default: return nil
            }
        }
        var answer = try await decide()
        switch fault.kind {
        case .dropAfter: return nil
        case .garbage: return .garbage
        case .status: return fault.answer.map { HTTPAnswer($0) }
        case .timeoutAfterExecute: try await wait(nanoseconds: fault.hold * 1_000_000)
        case .reshape: answer.style = fault.style
        default: break
        }
        return answer
    }
}

extension HTTPAnswer {
    /// The bank's answer in its own words: with nanoseconds in answers to a POST, microseconds in those to a GET.
    init(
        _ answer: BankAnswer,
        precision: Timestamp.Precision,
        isReplay: Bool = false,
        style: AnswerStyle? = nil
    ) {
        if case .refused(let code) = answer {
            self = .error(code.status, code.rawValue, code.message)
            return
        }
        let wording = Wording(precision: precision, style: style)
        let body = JSONWriter.object { writer in
            switch answer {
            case .authorized(let record): writer.members(of: record, wording)
            case .captured(let record): writer.members(of: record, wording)
            case .voided(let record): writer.members(of: record, wording)
            case .refunded(let record): writer.members(of: record, wording)
            case .refused: break
            }
        }
        self.init(status: 200, body: body, isReplay: isReplay)
    }
}

/// How the fields of an answer are written.
private struct Wording {
    let precision: Timestamp.Precision
    let style: AnswerStyle?
}

extension JSONWriter {
    /// Every authorization is `approved`, whatever became of it.
    fileprivate mutating func members(of record: AuthorizationRecord, _ wording: Wording) {
        member("authorization_id", record.id.text(.authorization))
        status("approved", wording)
        money(record.amount, wording)
        time("expires_at", record.expiresAt, wording)
        time("created_at", record.createdAt, wording)
    }

    fileprivate mutating func members(of record: CaptureRecord, _ wording: Wording) {
        member("capture_id", record.id.text(.capture))
        member("authorization_id", record.authorizationID.text(.authorization))
        status("captured", wording)
        money(record.amount, wording)
        time("captured_at", record.capturedAt, wording)
    }

    fileprivate mutating func members(of record: VoidRecord, _ wording: Wording) {
        member("void_id", record.id.text(.void))
        member("authorization_id", record.authorizationID.text(.authorization))
        status("voided", wording)
        time("voided_at", record.voidedAt, wording)
    }

    fileprivate mutating func members(of record: RefundRecord, _ wording: Wording) {
        member("refund_id", record.id.text(.refund))
        member("capture_id", record.captureID.text(.capture))
        status("refunded", wording)
        money(record.amount, wording)
        time("refunded_at", record.refundedAt, wording)
    }

    private mutating func status(_ word: String, _ wording: Wording) {
        switch wording.style {
        case .pending: member("status", "pending")
        case .upperStatus: member("status", word.uppercased())
        default: member("status", word)
        }
    }

    private mutating func money(_ amount: Int64, _ wording: Wording) {
        if wording.style == .decimalAmount {
            member("amount", token: "\(amount).0")
        } else {
            member("amount", amount)
        }
        switch wording.style {
        case .lowerCurrency: member("currency", "usd")
        case .nullFields: member("currency", nil as String?)
        default: member("currency", "USD")
        }
    }

    private mutating func time(_ name: String, _ time: Timestamp, _ wording: Wording) {
        member(name, wording.style == .nullFields ? nil : time.rfc3339(wording.precision))
    }
}
