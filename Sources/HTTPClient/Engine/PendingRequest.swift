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
