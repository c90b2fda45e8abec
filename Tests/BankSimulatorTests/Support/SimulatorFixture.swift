import Synchronization
import Testing

@testable import BankSimulator

/// A simulator without a server: no failures and no latency unless asked for, its clock and waits in the test's hand.
struct SimulatorFixture: Sendable {
    let clock = ManualClock()
    let gate = Gate()
    let simulator: Simulator

    init(rememberedRequests: Int = 1_000, _ change: (inout SimulatorConfiguration) -> Void = { _ in }) {
        var configuration = SimulatorConfiguration()
        configuration.failureRate = 0
        configuration.latency = 0...0
        configuration.keyStoreDelay = 0...0
        change(&configuration)
        simulator = Simulator(
            configuration: configuration,
            generator: SplitMix64(seed: 7),
            rememberedRequests: rememberedRequests,
            wallClock: { [clock] in clock.now },
            sleep: { [gate] duration in await gate.pass(duration) }
        )
    }

    /// - Returns: nil where the connection is cut.
    @discardableResult
    func send(_ method: String, _ path: String, key: String? = nil, _ body: String = "") async throws -> HTTPAnswer? {
        let parts = path.split(separator: "?", maxSplits: 1).map(String.init)
        let request = SimulatorRequest(
            method: method,
            path: parts[0],
            query: parts.count > 1 ? parts[1] : nil,
            idempotencyKey: key,
            body: Array(body.utf8)
        )
        switch try await simulator.react(to: request) {
        case .cut: return nil
        case .answer(let answer): return answer
        }
    }

    func post(_ operation: String, key: String, _ body: String) async throws -> HTTPAnswer? {
        try await send("POST", "/api/v1/\(operation)", key: key, body)
    }

    func authorize(key: String, amount: Int64 = 5_000, card: String = "4111111111111111") async throws -> HTTPAnswer? {
        let cvv = ["4242424242424242": "456", "5555555555554444": "789", "5105105105105100": "321"][card] ?? "123"
        return try await post(
            "authorizations",
            key: key,
            #"{"card_number":"\#(card)","cvv":"\#(cvv)","expiry_month":12,"expiry_year":2030,"amount":\#(amount)}"#
        )
    }

    func capture(key: String, _ authorization: String, amount: Int64 = 5_000) async throws -> HTTPAnswer? {
        try await post("captures", key: key, #"{"authorization_id":"\#(authorization)","amount":\#(amount)}"#)
    }

    func void(key: String, _ authorization: String) async throws -> HTTPAnswer? {
        try await post("voids", key: key, #"{"authorization_id":"\#(authorization)"}"#)
    }

    func refund(key: String, _ capture: String, amount: Int64 = 5_000) async throws -> HTTPAnswer? {
        try await post("refunds", key: key, #"{"capture_id":"\#(capture)","amount":\#(amount)}"#)
    }

    func fault(_ body: String) async throws {
        try await send("POST", "/faults", body)
    }

    /// The entries of `GET /ledger`, decoded.
    func ledger(since: Int = 0) async throws -> [[String: JSONValue]] {
        try await list("/ledger?since=\(since)", "entries")
    }

    /// The entries of `GET /requests`, decoded.
    func requests() async throws -> [[String: JSONValue]] {
        try await list("/requests", "requests")
    }

    private func list(_ path: String, _ name: String) async throws -> [[String: JSONValue]] {
        guard let answer = try await send("GET", path), case .array(let entries)? = answer.members[name] else {
            return []
        }
        return entries.compactMap(\.members)
    }
}

extension HTTPAnswer {
    /// The members of the body; none where it is no JSON object.
    var members: [String: JSONValue] {
        (try? JSONParser.onlyValue(in: Array(body.utf8)))?.members ?? [:]
    }

    /// The `error` of the body.
    var code: String? { text("error") }

    /// A member that is a string.
    func text(_ name: String) -> String? {
        guard case .string(let text)? = members[name] else { return nil }
        return text
    }
}

/// A wall clock that stands still until it is moved.
final class ManualClock: Sendable {
    /// 2026-01-02T03:04:05.123456789Z
    static let start = Timestamp(nanoseconds: 1_767_323_045_123_456_789)

    private let time = Mutex(start)

    var now: Timestamp { time.withLock { $0 } }

    func advance(nanoseconds: Int64) {
        time.withLock { $0.nanoseconds += nanoseconds }
    }

    func advance(milliseconds: Int64) {
        advance(nanoseconds: milliseconds * 1_000_000)
    }
}

/// Stands in for waiting: whoever waits is noted and kept until the gate is opened.
actor Gate {
    private(set) var durations: [Duration] = []
    private var isOpen = false
    private var kept: [CheckedContinuation<Void, Never>] = []
    private var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []

    /// What the simulator calls instead of sleeping.
    func pass(_ duration: Duration) async {
        durations.append(duration)
        for watcher in watchers where watcher.count <= durations.count { watcher.continuation.resume() }
        watchers.removeAll { $0.count <= durations.count }
        guard !isOpen else { return }
        await withCheckedContinuation { kept.append($0) }
    }

    /// Returns as soon as so many waits have begun.
    func arrivals(_ count: Int) async {
        guard durations.count < count else { return }
        await withCheckedContinuation { watchers.append((count, $0)) }
    }

    /// Lets those go on who wait by now, and nobody later.
    func release() {
        kept.forEach { $0.resume() }
        kept.removeAll()
    }

    /// Lets everyone go on, now and later.
    func open() {
        isOpen = true
        release()
    }
}

/// Waits until a condition holds, looking again and again; the limit only bounds how long a failing test takes.
func eventually(
    _ what: Comment,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while try await !condition() {
        try #require(ContinuousClock.now < deadline, what, sourceLocation: sourceLocation)
        try await Task.sleep(for: .milliseconds(5))
    }
}
