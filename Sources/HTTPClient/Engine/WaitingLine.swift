/// The requests that wait for a connection: first come, first served.
struct WaitingLine {
    /// Those before `head` and those that left the line are `nil`.
    private var places: [PendingRequest?] = []
    private var head = 0

    /// Not later than the first deadline in the line; it may be earlier, when its owner has left.
    private(set) var nextDeadline: ContinuousClock.Instant?

    mutating func append(_ pending: PendingRequest) {
        places.append(pending)
        nextDeadline = min(nextDeadline ?? pending.deadline, pending.deadline)
    }

    mutating func popFirst() -> PendingRequest? {
        while head < places.count {
            let place = places[head]
            places[head] = nil
            head += 1
            if let place {
                compactIfWorthwhile()
                return place
            }
        }
        self = WaitingLine()
        return nil
    }

    mutating func remove(id: UInt64) -> PendingRequest? {
        guard let index = places.firstIndex(where: { $0?.id == id }) else { return nil }
        defer { places[index] = nil }
        return places[index]
    }

    /// Takes out those whose time is over.
    mutating func removeExpired(at now: ContinuousClock.Instant) -> [PendingRequest] {
        guard let nextDeadline, nextDeadline <= now else { return [] }
        let waiting = places[head...].compactMap { $0 }
        self = WaitingLine()
        for pending in waiting where pending.deadline > now { append(pending) }
        return waiting.filter { $0.deadline <= now }
    }

    /// The used-up front goes when it is half of the whole, so that each place is moved once on average.
    private mutating func compactIfWorthwhile() {
        guard head >= 64, head * 2 >= places.count else { return }
        places.removeFirst(head)
        head = 0
    }
}

/// A call of `send` whose exchange has not ended. Whoever takes it out of its place calls `finish`, once.
struct PendingRequest {
    typealias Outcome = Result<HTTPResponse, HTTPError>

    let id: UInt64
    let request: HTTPRequest

    /// When the caller stops waiting.
    let deadline: ContinuousClock.Instant

    /// When the exchange ends at the latest; not before `deadline`.
    let limit: ContinuousClock.Instant

    private var caller: CheckedContinuation<Outcome, Never>?
    private let late: (@Sendable (Outcome) -> Void)?

    init(
        id: UInt64,
        request: HTTPRequest,
        calledAt now: ContinuousClock.Instant = .now,
        caller: CheckedContinuation<Outcome, Never>,
        late: (@Sendable (Outcome) -> Void)?
    ) {
        self.id = id
        self.request = request
        deadline = now + request.timeout
        limit = now + max(request.limit ?? request.timeout, request.timeout)
        self.caller = caller
        self.late = late
    }

    /// False once the caller has been dismissed.
    var isAwaited: Bool { caller != nil }

    var mayOutliveCaller: Bool { limit > deadline }

    /// Tells the caller that nobody knows yet how the exchange ends; `finish` then tells `late` instead.
    mutating func dismissCaller(_ error: HTTPError) {
        caller?.resume(returning: .failure(error))
        caller = nil
    }

    func finish(_ outcome: Outcome) {
        if let caller { caller.resume(returning: outcome) } else { late?(outcome) }
    }
}
