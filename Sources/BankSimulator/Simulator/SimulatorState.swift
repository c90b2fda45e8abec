/// All that changes while the simulator runs, and the order in which a request meets it. Nothing here waits.
struct SimulatorState: Sendable {
    private(set) var bank: Bank
    private var keys = IdempotencyKeys()
    private(set) var requests: RequestLog
    var faults = FaultTable()
    /// Seconds that the simulator's clock is ahead of the wall clock.
    var clockOffset: Int64 = 0
    private var generator: any RandomNumberGenerator & Sendable
    private let configuration: SimulatorConfiguration
    /// The last `Date` header and its second, for an answer of the same second.
    private var lastDate: (second: Int64, text: String) = (.min, "")

    init(
        configuration: SimulatorConfiguration,
        generator: any RandomNumberGenerator & Sendable,
        rememberedRequests: Int
    ) {
        self.configuration = configuration
        self.generator = generator
        requests = RequestLog(capacity: rememberedRequests)
        bank = Bank(
            accounts: CardAccount.testCards(balance: configuration.cardBalance),
            authorizationLifetime: configuration.authorizationLifetime
        )
    }

    /// The simulator's clock: expiry, `Date`, the times in answers and the 24 hours of a key follow it.
    func time(at wallClock: Timestamp) -> Timestamp {
        wallClock.adding(seconds: clockOffset)
    }

    mutating func dateHeader(at wallClock: Timestamp) -> String {
        let time = time(at: wallClock)
        if time.wholeSeconds != lastDate.second { lastDate = (time.wholeSeconds, time.httpDate) }
        return lastDate.text
    }

    /// Takes a request in: notes it, looks for a stored answer, and draws what is going to happen to it.
    ///
    /// The operation is nil for what is none of the bank's, and the key is nil where it is missing: a command without one
    /// is malformed and meets neither latency nor failure.
    mutating func admit(
        _ operation: BankOperation?,
        path: String,
        key: String?,
        wallClock: Timestamp
    ) -> Admission {
        var admission = Admission()
        if let operation, operation != .get, let key {
            admission.replay = keys.replay(operation, key: key, at: time(at: wallClock))
        }
        let storesKey = operation != nil && operation != .get && admission.replay == nil
        admission.plan = faults.draw(
            for: FaultSubject(
                operation: operation,
                storesKey: storesKey,
                followsAuthorization: bank.lastAuthorization != nil
            ),
            using: &generator
        )
        guard operation != nil else { return admission }

        let isExecuted = admission.replay == nil && (operation == .get || key != nil)
        if isExecuted, admission.plan.ending?.preventsExecution != true {
            admission.latency = drawMilliseconds(configuration.latency)
            admission.fails =
                configuration.failureRate > 0
                && Double.random(in: 0..<1, using: &generator) < configuration.failureRate
        }
        admission.sequence = requests.append(path: path, idempotencyKey: key)
        note(admission)
        return admission
    }

    private mutating func note(_ admission: Admission) {
        let names = [admission.plan.name, admission.fails ? "failure-rate" : nil].compactMap(\.self)
        guard !names.isEmpty || admission.replay != nil, let sequence = admission.sequence else { return }
        requests.update(sequence) { record in
            record.fault = names.isEmpty ? nil : names.joined(separator: ",")
            record.isReplay = admission.replay != nil
        }
    }

    /// Decides and carries out a command, at the present moment.
    mutating func execute(
        _ command: BankCommand,
        key: String,
        plan: FaultPlan,
        wallClock: Timestamp
    ) -> Execution {
        let time = time(at: wallClock)
        if plan.ending?.kind == .sameID, case .authorize(let request) = command, let id = bank.lastAuthorization {
            return Execution(answer: bank.decide(request, at: time, id: id))
        }
        let answer = bank.execute(command, key: key, at: time, id: EffectID(using: &generator))
        guard answer.isSuccess, !plan.losesKey else { return Execution(answer: answer) }
        return Execution(answer: answer, storesKeyAfter: drawMilliseconds(configuration.keyStoreDelay))
    }

    /// Notes the status of an answer that is about to be sent.
    mutating func complete(_ sequence: Int, status: Int) {
        requests.update(sequence) { $0.status = status }
    }

    /// Notes that the caller of a request hung up before its answer left.
    mutating func giveUp(_ sequence: Int) {
        requests.update(sequence) { record in
            record.fault = [record.fault, "hung-up"].compactMap(\.self).joined(separator: ",")
        }
    }

    /// Stores a success under its key, from now on.
    mutating func store(_ answer: BankAnswer, for operation: BankOperation, key: String, wallClock: Timestamp) {
        keys.store(answer, for: operation, key: key, at: time(at: wallClock))
    }

    /// - Returns: nanoseconds, uniform over the range.
    private mutating func drawMilliseconds(_ range: ClosedRange<Int64>) -> Int64 {
        guard range.upperBound > 0 else { return 0 }
        return Int64.random(in: range.lowerBound * 1_000_000...range.upperBound * 1_000_000, using: &generator)
    }
}

/// What a request is in for, drawn when it arrives.
struct Admission: Equatable, Sendable {
    /// Its number among the requests to the bank's API; nil for what is not noted.
    var sequence: Int?
    /// The stored answer under its key.
    var replay: BankAnswer?
    var plan = FaultPlan()
    /// The bank's own latency, in nanoseconds.
    var latency: Int64 = 0
    /// The bank's own injected 500.
    var fails = false
}

/// The last requests received, oldest first: a ring, so that a long benchmark costs no more than its capacity.
struct RequestLog: Sendable {
    private var records: [RequestRecord] = []
    private let capacity: Int
    /// The sequence number of the next request; the first is 1.
    private var nextSequence = 1

    /// - Parameter capacity: how many requests are remembered, at least one.
    init(capacity: Int = 200_000) {
        self.capacity = max(1, capacity)
    }

    /// Notes an arrival and gives it its sequence number.
    mutating func append(path: String, idempotencyKey: String?) -> Int {
        let record = RequestRecord(sequence: nextSequence, path: path, idempotencyKey: idempotencyKey)
        if records.count < capacity {
            records.append(record)
        } else {
            records[index(of: nextSequence)] = record
        }
        nextSequence += 1
        return record.sequence
    }

    /// Fills in what became of a request, if it is still remembered.
    mutating func update(_ sequence: Int, _ change: (inout RequestRecord) -> Void) {
        let index = index(of: sequence)
        guard records.indices.contains(index), records[index].sequence == sequence else { return }
        change(&records[index])
    }

    /// Every remembered request with a greater sequence number, in order.
    func records(after sequence: Int) -> [RequestRecord] {
        let oldest = nextSequence - records.count
        let first = max(oldest, sequence < nextSequence ? sequence + 1 : nextSequence)
        return (first..<nextSequence).map { records[index(of: $0)] }
    }

    private func index(of sequence: Int) -> Int {
        (sequence - 1) % capacity
    }
}

/// One request to the bank's API, as `GET /requests` reports it.
struct RequestRecord: Equatable, Sendable {
    let sequence: Int
    let path: String
    let idempotencyKey: String?
    /// What went wrong with it, nil for nothing: the faults that hit it, `failure-rate` for a failure of the bank's own,
    /// and last `hung-up` where the caller hung up before its answer left.
    var fault: String?
    /// It was answered from the stored keys.
    var isReplay = false
    /// nil while there is no answer: still executing, held, cut, or given up.
    var status: Int?
}
