import Synchronization

/// The bank simulator without its server: one request in, one reaction out.
///
/// The state sits behind a lock that is held for a decision only, never while a request waits. So two requests under
/// one key do to each other what they do at the bank: nothing, and both are executed.
final class Simulator: Sendable {
    /// Waits, or throws when it was cancelled.
    typealias Sleep = @Sendable (Duration) async throws -> Void

    private let state: Mutex<SimulatorState>
    private let wallClock: @Sendable () -> Timestamp
    private let sleep: Sleep

    /// - Parameters:
    ///   - configuration: how it behaves; host and port are the server's affair.
    ///   - generator: all the randomness there is: identifiers, latencies, failures and faults.
    ///   - rememberedRequests: how many `GET /requests` can tell of.
    ///   - wallClock: the time before it is moved by `POST /clock`.
    ///   - sleep: how to wait.
    init(
        configuration: SimulatorConfiguration,
        generator: any RandomNumberGenerator & Sendable = SplitMix64.randomlySeeded(),
        rememberedRequests: Int = 200_000,
        wallClock: @escaping @Sendable () -> Timestamp = { Timestamp.wallClock() },
        sleep: @escaping Sleep = { try await Task.sleep(for: $0) }
    ) {
        state = Mutex(
            SimulatorState(
                configuration: configuration,
                generator: generator,
                rememberedRequests: rememberedRequests
            )
        )
        self.wallClock = wallClock
        self.sleep = sleep
    }

    /// The simulator's own time, as the `Date` header of an answer that goes out now.
    var dateHeader: String {
        withState { state, wallClock in state.dateHeader(at: wallClock) }
    }

    /// Does what a request asks for, waits included. To cancel it is to hang up: what is not executed by then never is,
    /// and the key of what is executed is not stored any more.
    ///
    /// - Throws: `CancellationError` where it was cancelled before its answer was ready.
    func react(to request: SimulatorRequest) async throws -> Reaction {
        switch Route(method: request.method, path: request.path) {
        case .command(let operation): try await react(to: request, command: operation)
        case .query(let query): try await react(to: request, query: query)
        case .control(let endpoint): .answer(control(endpoint, request))
        case .health: answerUnlessDown(.healthy)
        case .unknown: answerUnlessDown(HTTPAnswer(.refused(.notFound), precision: .nanoseconds))
        }
    }

    func withState<Value: Sendable>(_ body: (inout SimulatorState, Timestamp) -> Value) -> Value {
        let now = wallClock()
        return state.withLock { body(&$0, now) }
    }

    /// Waits for some nanoseconds; for 0 it does not even yield.
    ///
    /// - Throws: `CancellationError` where the request was cancelled by the end of it.
    func wait(nanoseconds: Int64) async throws {
        if nanoseconds > 0 { try await sleep(.nanoseconds(nanoseconds)) }
        try Task.checkCancellation()
    }

    private func answerUnlessDown(_ answer: HTTPAnswer) -> Reaction {
        let admission = withState { state, now in state.admit(nil, path: "", key: nil, wallClock: now) }
        return admission.plan.ending?.kind == .down ? .cut : .answer(answer)
    }
}
