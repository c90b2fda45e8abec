/// A call of `send` that has no result yet. Whoever takes it out of its place calls `finish`, once.
struct PendingRequest {
    typealias Outcome = Result<HTTPResponse, HTTPError>

    let id: UInt64
    let request: HTTPRequest
    let deadline: ContinuousClock.Instant
    let continuation: CheckedContinuation<Outcome, Never>

    func finish(_ outcome: Outcome) {
        continuation.resume(returning: outcome)
    }
}
