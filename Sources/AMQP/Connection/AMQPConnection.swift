import Synchronization
package import ThreadExecutor

/// One connection to the broker, on one thread, from its login to its end.
///
/// A connection that has failed is never revived: every waiting call gets the error, the sequences of its consumers end
/// with it, and a new connection has to be made (see `AMQPSession`). Its channels are apart, so that what happens to one
/// does not touch the others:
///
/// - *control*, for topology: a refusal (404, 406, …) closes it in AMQP; it is reopened, and only the refused call fails.
/// - *publishing*, with confirms, one for each exchange, and for each queue at the default exchange: when the broker closes it (the exchange does not exist: 404,
///   may not be written to: 403), all messages of this route that wait for their confirm fail with `channelClosed` and unknown outcome,
///   for the broker does not say which of them it has taken; then it is reopened, and later messages go on. A queue that confirms
///   nothing holds up its own channel only.
/// - *consuming*, one for each consumer: when the broker closes it (a delivery unsettled for too long: 406; a `consume` it refuses: 403),
///   its consumer ends with `channelClosed`, and the broker delivers again what was not settled.
///
/// Publish and consume heavily on separate connections: a broker that wants publishers to slow down stops reading from
/// their connections, and acknowledgements would wait behind the messages.
package actor AMQPConnection {
    nonisolated let executor: ThreadExecutor
    nonisolated let publishQueue: PublishQueue
    nonisolated let lastRequest = Atomic<UInt64>(0)
    let onEvent: @Sendable (AMQPConnectionEvent) -> Void

    /// Gone when the connection is over.
    var link: BrokerLink?
    /// The node that it leads to.
    package nonisolated let address: AMQPAddress
    var end: AMQPError?
    var control = Channel(number: 1)
    var publishing = Publishing()
    var consuming: Consuming
    var closing = Closing.no
    var closeWaiters: [CheckedContinuation<AMQPError, Never>] = []
    /// When the next of all deadlines may have passed; never too late, perhaps too early.
    var nextDeadline: MonotonicTime?

    /// The broker takes no messages for now; those published wait until it does, or until their timeout.
    package internal(set) var isBlocked = false

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Connects and logs in, to the first node that takes the connection. Ends for each of them within twice the configuration's
    /// `connectTimeout` (once for TCP and TLS, once for the login), cancelled or not; the resolution of the host's name is not bounded
    /// by it. Of several nodes each has a second at first, so that one that stands still does not hold up the way to the others; when
    /// none has taken the connection, each has its full time.
    ///
    /// - Parameters:
    ///   - configuration: where to, and as whom.
    ///   - loop: the thread that it shares with others; `nil` for one of its own. A connection that publishes much wants its own: it
    ///     blocks while a broker takes only part of a large message.
    ///   - onEvent: called on the connection's thread; must not block.
    /// - Returns: an open connection. It is closed when nobody holds it any more.
    /// - Throws: `connectFailed`, `tlsFailed`, `authenticationFailed`, `vhostRefused`, `connectionClosedByBroker`,
    ///   `invalidConfiguration`; where several nodes have failed, the first error, with what is wrong at each.
    package static func connect(
        _ configuration: AMQPConfiguration,
        on loop: EventLoop? = nil,
        onEvent: @escaping @Sendable (AMQPConnectionEvent) -> Void = { _ in }
    ) async throws(AMQPError) -> AMQPConnection {
        var failures: [AMQPAddress: AMQPError] = [:]
        let (addresses, timeout) = (configuration.addresses, configuration.connectTimeout)
        for patience in addresses.count > 1 && timeout > firstPatience ? [firstPatience, timeout] : [timeout] {
            for address in addresses where failures[address].map({ $0.code == .connectFailed }) ?? true {
                var single = configuration
                (single.addresses, single.connectTimeout) = ([address], patience)
                do throws(AMQPError) {
                    return try await connectToFirst(single, on: loop, onEvent: onEvent)
                } catch {
                    failures[address] = error
                    if Task.isCancelled { throw AMQPError(joining: addresses.compactMap { failures[$0] }) }
                }
            }
        }
        throw AMQPError(joining: addresses.compactMap { failures[$0] })
    }

    /// For each of several nodes, before one that answers late is waited for.
    private static let firstPatience = Duration.seconds(1)

    private static func connectToFirst(
        _ configuration: AMQPConfiguration,
        on loop: EventLoop?,
        onEvent: @escaping @Sendable (AMQPConnectionEvent) -> Void
    ) async throws(AMQPError) -> AMQPConnection {
        let opener: BrokerLinkOpener
        do {
            opener = try BrokerLinkOpener()
        } catch {
            throw AMQPError(.connectFailed, problem: error.description)
        }
        let link = try await opener.open(configuration)
        let executor = loop.map(ThreadExecutor.init(on:)) ?? opener.executor
        let connection = AMQPConnection(configuration.addresses[0], executor: executor, onEvent: onEvent)
        await connection.begin(link)
        return connection
    }

    private init(
        _ address: AMQPAddress,
        executor: ThreadExecutor,
        onEvent: @escaping @Sendable (AMQPConnectionEvent) -> Void
    ) {
        self.address = address
        self.executor = executor
        self.onEvent = onEvent
        publishQueue = PublishQueue(executor: executor)
        consuming = Consuming(settlements: SettlementQueue(executor: executor))
    }

    isolated deinit {
        finish(AMQPError(.closed))
    }

    /// False once the connection is over or being closed.
    package nonisolated var isUsable: Bool { publishQueue.failure == nil }

    /// Waits for the end, whoever brings it about.
    ///
    /// - Returns: its cause; `closed` when this side has closed the connection.
    package func untilClosed() async -> AMQPError {
        if let end { return end }
        return await withCheckedContinuation { closeWaiters.append($0) }
    }

    /// Closes in good order: takes no more messages, waits for the confirms of those it has, sends the acknowledgements
    /// that are waiting, and takes leave of the broker. What was delivered and not settled is delivered again.
    ///
    /// - Parameter timeout: how long all this may take; then the connection is cut, and who still waits for a confirm gets
    ///   `closed` with unknown outcome.
    package func close(timeout: Duration = .seconds(5)) async {
        if end == nil, case .no = closing {
            let deadline = MonotonicTime.now().advanced(by: timeout)
            closing = .draining(deadline)
            note(deadline: deadline)
            // What has been added before goes out yet.
            accept(publishQueue.close(AMQPError(.closed)))
        }
        _ = await untilClosed()
    }

    /// Takes over a connection that another thread has opened.
    private func begin(_ link: sending BrokerLink) {
        publishing.grant(channels: link.channelMax)
        consuming.grant(channels: link.channelMax)
        self.link = link
        // The connection is not held while the thread sleeps: else nobody could let go of it.
        executor.setTurnHook { [weak self] isDue in self?.assumeIsolated { $0.turn(isDue: isDue) } ?? .forever }
    }
}

extension AMQPConnection {
    enum Closing {
        case no
        /// Confirms are being waited for, until the deadline.
        case draining(MonotonicTime)
        /// The broker's leave is being waited for, until the deadline.
        case saidGoodbye(MonotonicTime)
    }
}

extension AMQPConnection {
    /// Which channel a call belongs to.
    enum Lane {
        case control
        /// The consumer's of that index.
        case consuming(Int)
    }

    /// Makes a call and waits for its answer. Not cancellable: the broker answers soon, or the connection ends.
    ///
    /// - Throws: `channelClosed` when the broker refuses, `timeout`, or why the connection has ended.
    func call(on lane: Lane, _ steps: [Call.Step]) async throws(AMQPError) -> Call.Reply {
        if let end { throw end }
        guard case .no = closing else { throw AMQPError(.closed) }
        let answer = await withCheckedContinuation { continuation in
            let call = Call(steps, deadline: Call.deadline(), continuation: continuation)
            switch lane {
            case .control: control.add(call)
            case .consuming(let index): consuming.withLane(index) { $0.channel.add(call) }
            }
        }
        return try answer.get()
    }

    /// Names above 255 bytes would be cut short by librabbitmq without a word, tables must fit into a frame.
    func validate(_ names: [String], _ arguments: AMQPTable = [:]) throws(AMQPError) {
        guard names.allSatisfy({ $0.utf8.count <= 255 }) else {
            throw AMQPError(.invalidArgument, problem: "a name is longer than 255 bytes")
        }
        let limit = (link?.frameMax ?? 0) - 4_096
        guard arguments.isEmpty || (arguments.encodedSize() ?? .max) <= limit else {
            throw AMQPError(.invalidArgument, problem: "the arguments cannot be encoded")
        }
    }
}

/// What happens to a connection without being asked for.
package enum AMQPConnectionEvent: Sendable, Equatable {
    /// The broker takes no messages for now (an alarm: memory or disk). The reason is the broker's.
    case blocked(reason: String)
    case unblocked
    /// The connection is over; always the last event. The code is `closed` when this side has closed it.
    case closed(AMQPError)
}
