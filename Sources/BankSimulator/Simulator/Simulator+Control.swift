extension Simulator {
    /// The endpoints that the simulator has beyond the bank (docs/bank.md#the-bank-simulator).
    func control(_ endpoint: Route.ControlEndpoint, _ request: SimulatorRequest) -> HTTPAnswer {
        switch endpoint {
        case .addFault: addFault(request.body)
        case .listFaults: HTTPAnswer(status: 200, body: withState { state, _ in state.faults.entries }.json)
        case .deleteFaults: deleteFaults()
        case .moveClock: moveClock(request.body)
        case .ledger: ledger(request.query)
        case .requests: requests(request.query)
        }
    }

    private func addFault(_ body: [UInt8]) -> HTTPAnswer {
        do {
            let fault = try Fault(json: JSONParser.onlyValue(in: body))
            let entry = withState { state, _ in state.faults.add(fault) }
            return HTTPAnswer(status: 201, body: entry.json)
        } catch let error as Fault.Invalid {
            return .invalid(error.message)
        } catch {
            return .invalid("the body is not JSON")
        }
    }

    private func deleteFaults() -> HTTPAnswer {
        let count = withState { state, _ in state.faults.removeAll() }
        return HTTPAnswer(status: 200, body: JSONWriter.object { $0.member("deleted", Int64(count)) })
    }

    /// `offset_seconds` is against the wall clock, not against the present offset.
    private func moveClock(_ body: [UInt8]) -> HTTPAnswer {
        let limit: Int64 = 1_000_000_000
        guard let members = (try? JSONParser.onlyValue(in: body))?.members,
            case .number(let token)? = members["offset_seconds"], members.count == 1,
            let offset = Int64(token), (-limit...limit).contains(offset)
        else { return .invalid("the body must be {\"offset_seconds\":n} with an integer from -\(limit) to \(limit)") }
        let now = withState { state, wallClock in
            state.clockOffset = offset
            return state.time(at: wallClock)
        }
        let text = JSONWriter.object {
            $0.member("now", now.rfc3339(.microseconds))
            $0.member("offset_seconds", offset)
        }
        return HTTPAnswer(status: 200, body: text)
    }

    private func ledger(_ query: String?) -> HTTPAnswer {
        guard let since = Self.since(query) else { return .invalid("since must be an integer of 0 or more") }
        // Copies share their storage, so the lock is not held while the text is made.
        let (entries, accounts) = withState { state, _ in (state.bank.ledger, state.bank.accounts) }
        let text = JSONWriter.object { writer in
            writer.member("entries", entries.indices.dropFirst(since)) { writer, index in
                writer.members(of: entries[index], sequence: index + 1, account: accounts[entries[index].account])
            }
        }
        return HTTPAnswer(status: 200, body: text)
    }

    private func requests(_ query: String?) -> HTTPAnswer {
        guard let since = Self.since(query) else { return .invalid("since must be an integer of 0 or more") }
        let records = withState { state, _ in state.requests.records(after: since) }
        let text = JSONWriter.object { writer in
            writer.member("requests", records) { $0.members(of: $1) }
        }
        return HTTPAnswer(status: 200, body: text)
    }

    /// The number of `since=n` in a query, 0 where it is missing, nil where it is none.
    private static func since(_ query: String?) -> Int? {
        let prefix = "since="
        guard let parameter = query?.split(separator: "&").first(where: { $0.hasPrefix(prefix) }) else { return 0 }
        return Int(parameter.dropFirst(prefix.count)).flatMap { $0 >= 0 ? $0 : nil }
    }
}

extension JSONWriter {
    mutating func members(of entry: LedgerEntry, sequence: Int, account: CardAccount) {
        member("amount", entry.amount)
        member("authorization_id", entry.authorizationID.text(.authorization))
        member("capture_id", entry.captureID?.text(.capture))
        member("card_last4", account.lastFour)
        member("currency", "USD")
        member("executed_at", entry.executedAt.rfc3339(.nanoseconds))
        member("id", entry.id.text(entry.operation.effectKind))
        member("idempotency_key", entry.idempotencyKey)
        member("operation", entry.operation.rawValue)
        member("sequence", Int64(sequence))
    }

    mutating func members(of record: RequestRecord) {
        member("fault", record.fault)
        member("idempotency_key", record.idempotencyKey)
        member("path", record.path)
        member("replayed", record.isReplay)
        member("sequence", Int64(record.sequence))
        member("status", record.status.map { Int64($0) })
    }

    /// What only some faults have is left out of the others.
    fileprivate mutating func members(of entry: FaultTable.Entry) {
        let answer = entry.fault.answer
        if let answer { member("body", answer.effectiveBody) }
        member("count", entry.fault.count.map { Int64($0) })
        if let answer { member("executes", answer.executes) }
        member("fault", entry.fault.kind.rawValue)
        if let answer { member("headers", answer.headers) }
        member("id", Int64(entry.id))
        member("milliseconds", entry.fault.milliseconds)
        member("operation", entry.fault.operation?.rawValue ?? "any")
        member("probability", entry.fault.probability)
        member("remaining", entry.remaining.map { Int64($0) })
        if let answer { member("status", Int64(answer.status)) }
        if let style = entry.fault.style { member("style", style.rawValue) }
    }
}

extension FaultTable.Entry {
    /// The fault, its number, and how often it will still hit.
    var json: String { JSONWriter.object { $0.members(of: self) } }
}

extension [FaultTable.Entry] {
    /// `{"faults":[…]}`.
    var json: String {
        JSONWriter.object { writer in
            writer.member("faults", self) { $0.members(of: $1) }
        }
    }
}
