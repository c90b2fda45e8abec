package import Core
import Synchronization

/// The bank of docs/bank.md in memory, with its weaknesses: errors are not stored, a key is not locked while its
/// request executes, and when the caller hangs up, what is not executed yet is given up and the key of what has been
/// executed is not stored.
package final class InMemoryBank: Bank, BankQueries {
    package struct Configuration: Sendable {
        /// How long a request takes before it is executed.
        package var latency: Duration = .milliseconds(20)
        /// How long after its execution a key is stored, and the answer leaves.
        package var keyDelay: Duration = .milliseconds(2)
        /// How long it may go on with a request whose caller has given up.
        package var worstCase: Duration = .zero
        /// How long an authorization may be captured.
        package var authorizationExpiry: Duration = .seconds(168 * 3_600)
        /// How long a key is kept.
        package var keyLifetime: Duration = .seconds(24 * 3_600)
        package var accounts: [BankAccount] = BankAccount.testCards
        /// The bank's own clock, by which it judges expiry; `nil`: it goes right.
        package var clock: (any TimeSource)?
        /// What befalls each request, where nothing was injected and no latency set.
        package var behavior: (@Sendable (BankRequest) -> BankBehavior)?
        /// Told of each effect.
        package var onEffect: (@Sendable (BankLedgerEntry) -> Void)?

        package init() {}
    }

    private struct KeyID: Hashable {
        let operation: OperationKind
        let key: String

        init(_ request: BankRequest) {
            operation = request.action.kind
            key = request.idempotencyKey
        }
    }

    private struct StoredKey {
        let reply: BankReplyBody
        let until: Timestamp
    }

    private struct State {
        var books: BankBooks
        var keys: [KeyID: StoredKey] = [:]
        var requests: [BankRequestRecord] = []
        var faults: [(fault: BankFault, operation: OperationKind?)] = []
        var latencies: [Duration] = []
        var isDown = false
        var underWay: [KeyID: Int] = [:]
        /// The calls that are under way, by who made them.
        var calls: [Int: [ObjectIdentifier: BankExchange]] = [:]
        /// The keys that were not stored although something was executed under them.
        var lostKeys: Set<String> = []
        var overlaps = 0
        var overlappedKeys: Set<String> = []
        var unheardKeys: Set<String> = []
        var earlyCuts = 0
        var skew: Duration = .zero

        mutating func takeFault(for operation: OperationKind) -> BankFault? {
            guard let next = faults.firstIndex(where: { ($0.operation ?? operation) == operation }) else { return nil }
            return faults.remove(at: next).fault
        }
    }

    private let configuration: Configuration
    private let time: VirtualTime
    private let random: any RandomSource
    private let state: Mutex<State>

    package init(
        time: VirtualTime,
        random: any RandomSource,
        configuration: Configuration = Configuration()
    ) {
        self.configuration = configuration
        self.time = time
        self.random = random
        let books = BankBooks(accounts: configuration.accounts, expiry: configuration.authorizationExpiry)
        state = Mutex(State(books: books))
    }

    // MARK: Faults and insight

    /// Lets the next requests go wrong, one after the other.
    package func inject(_ faults: BankFault..., into operation: OperationKind? = nil) {
        state.withLock { $0.faults.append(contentsOf: faults.map { ($0, operation) }) }
    }

    /// The next request takes so long.
    package func delayNext(by latency: Duration) {
        state.withLock { $0.latencies.append(latency) }
    }

    /// While it is down, no request is ever sent.
    package func setDown(_ isDown: Bool) {
        state.withLock { $0.isDown = isDown }
    }

    /// Sets the bank's clock apart from everybody else's: it stamps and expires by it
    /// (docs/correctness.md#whose-clock).
    package func setClock(ahead skew: Duration) {
        state.withLock { $0.skew = skew }
    }

    /// Every effect, in the order of execution.
    package var ledger: [BankLedgerEntry] { state.withLock { $0.books.ledger } }

    /// Every request that reached the bank.
    package var requests: [BankRequestRecord] { state.withLock { $0.requests } }

    /// How often a request arrived while another one with its key was executing: must be never
    /// (docs/correctness.md#unlocked-keys).
    package var overlaps: Int { state.withLock { $0.overlaps } }

    /// How many calls were cut by callers that could have waited: before the bank must have been done with them.
    package var earlyCuts: Int { state.withLock { $0.earlyCuts } }

    private func cut(_ exchange: BankExchange, _ request: BankRequest) {
        guard !exchange.isOver else { return }
        if request.limit < request.timeout + configuration.worstCase { state.withLock { $0.earlyCuts += 1 } }
        exchange.end(.noAnswer(reason: "timeout"))
    }

    /// The keys under which that happened.
    package var overlappedKeys: Set<String> { state.withLock { $0.overlappedKeys } }

    /// When an authorization expires, on the bank's clock.
    package func expiry(of authorizationID: String) -> Timestamp? {
        state.withLock { $0.books.expiry(of: authorizationID) }
    }

    package func account(_ number: String) -> BankAccount? { state.withLock { $0.books.account(number) } }

    // MARK: Bank

    package func send(
        _ request: BankRequest,
        late: @escaping @Sendable (BankAnswer) -> Void
    ) async -> BankAnswer {
        await send(request, from: 0, late: late)
    }

    /// - Parameter caller: who makes the call, for `hangUp(_:)`.
    package func send(
        _ request: BankRequest,
        from caller: Int,
        late: @escaping @Sendable (BankAnswer) -> Void
    ) async -> BankAnswer {
        let exchange = BankExchange(late: late)
        state.withLock { $0.calls[caller, default: [:]][ObjectIdentifier(exchange)] = exchange }
        exchange.onEnd { [weak self] exchange in
            self?.state.withLock { _ = $0.calls[caller]?.removeValue(forKey: ObjectIdentifier(exchange)) }
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                exchange.begin(continuation)
                guard !Task.isCancelled else { return exchange.end(.notSent(reason: "cancelled")) }
                time.schedule(after: request.timeout) { exchange.giveUp(reason: "timeout") }
                time.schedule(after: request.limit) { self.cut(exchange, request) }
                receive(request, exchange)
            }
        } onCancel: {
            // Nobody waits any more; the call goes on.
            exchange.giveUp(reason: "cancelled")
        }
    }

    /// The connections of a caller are cut: it is gone, and hears nothing any more.
    package func hangUp(_ caller: Int) {
        let calls = state.withLock { $0.calls.removeValue(forKey: caller) ?? [:] }
        for call in calls.values { call.cut() }
    }

    /// The keys of answers that came when nobody was there any more.
    package var unheardKeys: Set<String> { state.withLock { $0.unheardKeys } }

    func noteUnheard(_ key: String) {
        state.withLock { _ = $0.unheardKeys.insert(key) }
    }

    /// How many calls of a caller are under way.
    package func callsInFlight(of caller: Int) -> Int {
        state.withLock { $0.calls[caller]?.count ?? 0 }
    }

    /// The keys of effects that the bank has forgotten before anybody could ask for them.
    package var lostKeys: Set<String> { state.withLock { $0.lostKeys } }

    /// The bank's own clock.
    private var now: Timestamp {
        (configuration.clock?.now() ?? time.now()).advanced(by: state.withLock { $0.skew })
    }

    package func ask(_ query: BankQuery, timeout: Duration) async -> BankAnswer {
        let exchange = BankExchange()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                exchange.begin(continuation)
                time.schedule(after: timeout) { exchange.end(.noAnswer(reason: "timeout")) }
                guard !isDown else { return exchange.end(.notSent(reason: "connection_refused")) }
                time.schedule(after: configuration.latency) { exchange.end(self.answer(query)) }
            }
        } onCancel: {
            exchange.end(.noAnswer(reason: "cancelled"))
        }
    }

    private var isDown: Bool { state.withLock { $0.isDown } }

    private func answer(_ query: BankQuery) -> BankAnswer {
        let now = now
        let reply = state.withLock { $0.books.answer(query) }
        // The header tells whole seconds.
        let date = Timestamp(microseconds: now.microseconds / 1_000_000 * 1_000_000)
        return .response(BankResponse(status: reply.status, bytes: reply.bytes, isReplayed: false, date: date))
    }

    private func receive(_ request: BankRequest, _ exchange: BankExchange) {
        let now = now
        let behavior = configuration.behavior?(request) ?? BankBehavior(latency: configuration.latency)
        let answer: BankAnswer? = state.withLock { state in
            let fault = state.isDown ? .down : state.takeFault(for: request.action.kind) ?? behavior.fault
            if fault == .down { return .notSent(reason: "connection_refused") }
            state.requests.append(
                BankRequestRecord(
                    operation: request.action.kind,
                    idempotencyKey: request.idempotencyKey,
                    at: now,
                    fault: fault
                )
            )
            if fault == .dropBefore { return .noAnswer(reason: "connection_cut") }
            // The replay check comes before the latency and the failures, and looks at nothing but the key.
            if let stored = state.keys[KeyID(request)], stored.until <= now {
                // Forgotten after a day.
                state.lostKeys.insert(request.idempotencyKey)
            } else if let stored = state.keys[KeyID(request)] {
                return .response(BankResponse(status: stored.reply.status, bytes: stored.reply.bytes, isReplayed: true))
            }
            if !request.action.isInquiry {
                if state.underWay[KeyID(request), default: 0] > 0 {
                    state.overlaps += 1
                    state.overlappedKeys.insert(request.idempotencyKey)
                }
                state.underWay[KeyID(request), default: 0] += 1
            }
            // It is done with what its caller has given up on within its worst case (docs/bank.md#times), also where the caller gave up early.
            let longest = request.timeout + configuration.worstCase - .milliseconds(1)
            let latency = state.latencies.isEmpty ? min(behavior.latency, longest) : state.latencies.removeFirst()
            time.schedule(after: latency) { self.execute(request, fault, losesKey: behavior.losesKey, exchange) }
            return nil
        }
        if let answer { exchange.end(answer) }
    }

    private func execute(_ request: BankRequest, _ fault: BankFault?, losesKey: Bool, _ exchange: BankExchange) {
        let now = now
        let id = UniqueID(high: random.next(), low: random.next())
        let (reply, effect): (BankReplyBody, BankLedgerEntry?) = state.withLock { state in
            if !request.action.isInquiry { state.underWay[KeyID(request), default: 0] -= 1 }
            // Nobody is there any more: what is not executed yet is given up.
            if exchange.isOver { return (.error(500, "internal_error"), nil) }
            if let lie = fault?.lie(about: request.action.kind) { return (lie, nil) }
            let reply = state.books.execute(request, id: id, now: now)
            return (reply, reply.isSuccess ? state.books.ledger.last : nil)
        }
        if let effect { configuration.onEffect?(effect) }
        guard reply.isSuccess else { return answer(reply, fault, exchange) }
        time.schedule(after: configuration.keyDelay) {
            let isKept = fault != .loseKey && fault != .cutAfterExecute && !losesKey && !exchange.isOver
            self.store(request, reply, isKept: isKept)
            self.answer(reply, fault, exchange)
        }
    }

    /// The answer leaves only after the key is stored: whoever has it can rely on the key.
    private func answer(_ reply: BankReplyBody, _ fault: BankFault?, _ exchange: BankExchange) {
        switch fault {
        case .timeoutAfterExecute: break
        case .dropAfter, .cutAfterExecute: exchange.end(.noAnswer(reason: "connection_cut"))
        case .garbage:
            let body = Array("<html>it works</html>".utf8)
            exchange.end(.response(BankResponse(status: 200, bytes: body, isReplayed: false)))
        default:
            exchange.end(.response(BankResponse(status: reply.status, bytes: reply.bytes, isReplayed: false)))
        }
    }

    private func store(_ request: BankRequest, _ reply: BankReplyBody, isKept: Bool) {
        let until = now.advanced(by: configuration.keyLifetime)
        state.withLock { state in
            guard isKept else {
                state.lostKeys.insert(request.idempotencyKey)
                return
            }
            if state.keys[KeyID(request)] == nil {
                state.keys[KeyID(request)] = StoredKey(reply: reply, until: until)
            }
        }
    }
}
