/// The faults in force.
struct FaultTable: Sendable {
    /// One fault in force.
    struct Entry: Equatable, Sendable {
        let id: Int
        let fault: Fault
        /// How many requests it will still hit; nil is without end.
        var remaining: Int?
    }

    /// In the order in which they were asked for.
    private(set) var entries: [Entry] = []
    private var lastID = 0

    mutating func add(_ fault: Fault) -> Entry {
        lastID += 1
        let entry = Entry(id: lastID, fault: fault, remaining: fault.count)
        entries.append(entry)
        return entry
    }

    /// - Returns: how many there were.
    mutating func removeAll() -> Int {
        defer { entries.removeAll() }
        return entries.count
    }

    /// Draws what hits a request, in the order of the table: every modifier, and of the others the first. Only what hits
    /// is counted.
    mutating func draw(for subject: FaultSubject, using generator: inout some RandomNumberGenerator) -> FaultPlan {
        var plan = FaultPlan()
        guard !entries.isEmpty else { return plan }
        var names: [String] = []
        for index in entries.indices {
            let fault = entries[index].fault
            guard fault.operation == nil || fault.operation == subject.operation,
                fault.kind.applies(to: subject),
                fault.kind.isModifier || plan.ending == nil,
                fault.probability >= 1 || Double.random(in: 0..<1, using: &generator) < fault.probability
            else { continue }
            entries[index].remaining = entries[index].remaining.map { $0 - 1 }
            names.append(fault.kind.rawValue)
            switch fault.kind {
            case .latency: plan.latency += fault.milliseconds ?? 0
            case .loseKey: plan.losesKey = true
            default: plan.ending = fault
            }
        }
        entries.removeAll { $0.remaining == 0 }
        plan.name = names.isEmpty ? nil : names.joined(separator: ",")
        return plan
    }
}

/// What the faults do to one request.
struct FaultPlan: Equatable, Sendable {
    /// How the request ends instead of normally; never a modifier.
    var ending: Fault?
    /// The wait in front, in milliseconds.
    var latency: Int64 = 0
    var losesKey = false
    /// The names of all that hit it, separated by commas; nil for none.
    var name: String?
}

/// What the faults have to know about a request.
struct FaultSubject: Equatable, Sendable {
    /// nil for what is no operation of the bank: `/health` and unknown paths, which only `down` reaches.
    let operation: BankOperation?
    /// A success of it would store an idempotency key: a POST that is not a replay.
    let storesKey: Bool
    /// There was a successful authorization before it.
    var followsAuthorization = false
}
