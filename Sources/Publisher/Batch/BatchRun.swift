import AMQP
import BrokerMapping
import Core
import Glibc
import PaymentCommands
import Synchronization

/// Sends the commands of a batch and gathers the replies.
///
/// All of it happens on one actor: a fixed number of lanes publish, one message each at a time; one task reads the replies;
/// nothing is made per command but the message itself. All commands of a payment go through one lane, so they leave in the
/// order of the file, also when the broker refuses one and it is sent again. A command's correlation id is its place in the
/// batch, which suffices in a reply queue that is this run's alone.
///
/// A connection that is lost takes its reply queue with it. On the next one everything without a final reply is sent again, in
/// the same order, under the same keys: what has taken effect gets its stored answer.
actor BatchRun {
    /// Why a run ends.
    enum End: Equatable, Sendable {
        case completed
        /// No reply for as long as the timeout; with what was wrong meanwhile.
        case silence(Failure?)
        case interrupted
        case failed(Failure)
    }

    struct Options: Sendable {
        /// Commands that may wait for a reply at the same time.
        let window: Int
        /// How long a silence ends the run.
        let timeout: Duration
        let json: Bool
        let showsProgress: Bool
    }

    /// Messages that may wait for the broker's confirm at the same time.
    private static let maximumLanes = 512
    private static let tick = Duration.milliseconds(100)
    private static let pauses = (first: Duration.milliseconds(100), longest: Duration.seconds(3))

    let entries: [BatchEntry]
    let options: Options
    /// The places of the commands that each lane sends.
    let lanes: [[Int]]
    let clock = ContinuousClock()
    /// Of each command, on every way it takes.
    private let messageIDs: [UniqueID]
    private let startedAt: ContinuousClock.Instant
    private let connect: @Sendable () async throws(Failure) -> BatchConnection
    private var first: BatchConnection?
    var tracker: BatchTracker
    /// The commands that hold a place in the window: sent on this connection, and without any reply.
    private var outstanding: Set<Int> = []
    /// Those for whom there is no place in the window, the longest waiting first.
    private var lanesWaiting: [CheckedContinuation<Void, Never>] = []
    /// The broker has taken something on this connection, or ever.
    private var hasConfirmed = (now: false, ever: false)
    /// This connection is to be used no more.
    private var isCut = false
    private var isOver = false
    private var problem: Failure?
    private var output: BatchOutput

    /// - Parameters:
    ///   - first: the connection to begin with.
    ///   - connect: opens another one.
    init(
        first: BatchConnection,
        entries: [BatchEntry],
        options: Options,
        connect: @escaping @Sendable () async throws(Failure) -> BatchConnection
    ) {
        self.first = first
        self.connect = connect
        self.entries = entries
        self.options = options
        messageIDs = entries.map { _ in Identifier.unique() }
        startedAt = clock.now
        tracker = BatchTracker(count: entries.count, now: startedAt)
        output = BatchOutput(json: options.json)
        let laneCount = max(min(Self.maximumLanes, options.window, entries.count), 1)
        var lanes = [[Int]](repeating: [], count: laneCount)
        for (index, entry) in entries.enumerated() {
            lanes[Int(UInt(bitPattern: entry.command.paymentID.hashValue) % UInt(laneCount))].append(index)
        }
        self.lanes = lanes
    }

    var summary: BatchSummary { BatchSummary(tracker, elapsed: clock.now - startedAt) }

    func run() async -> End {
        Interrupt.watch()
        let end = await withTaskGroup(of: End?.self) { group in
            group.addTask { await self.converse() }
            group.addTask { await self.watchForSilence() }
            group.addTask { await self.keepShowing() }
            var end: End?
            for await result in group where end == nil && result != nil {
                end = result
                isOver = true
                cut()
                group.cancelAll()
            }
            return end ?? .completed
        }
        output.finish()
        if options.showsProgress { StandardError.write("\r\u{1b}[K") }
        return end
    }

    // MARK: Connections

    /// One connection after the other, until all is answered.
    private func converse() async -> End? {
        var pause = Self.pauses.first
        while !isOver {
            do throws(Failure) {
                let connection = if let first { first } else { try await connect() }
                first = nil
                try await use(connection)
                return isOver ? nil : .completed
            } catch {
                guard !isOver else { return nil }
                // Before anything has worked it is most likely not a passing trouble of the broker.
                guard error.isPassing || hasConfirmed.ever else { return .failed(error) }
                if error != problem { report("\(error.lines.joined(separator: "; ")); connecting again") }
                problem = error
            }
            if hasConfirmed.now { pause = Self.pauses.first }
            hasConfirmed.now = false
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, Self.pauses.longest)
        }
        return nil
    }

    /// Sends all that has no final reply, and reads until all have one.
    ///
    /// - Throws: why the connection is of no more use.
    private func use(_ connection: BatchConnection) async throws(Failure) {
        isCut = isOver
        outstanding = []
        let failure = await withTaskGroup(of: Failure?.self) { group in
            for lane in lanes where lane.contains(where: tracker.isOpen) {
                group.addTask { await self.send(lane, connection) }
            }
            group.addTask { await self.readReplies(connection) }
            var failure: Failure?
            // A lane ends when all of its commands are sent; the reader when all is answered, or the run is over.
            for await result in group {
                guard result != nil || tracker.isComplete || isOver, !isCut || failure == nil else { continue }
                failure = failure ?? result
                cut()
                await connection.client.close()
            }
            return failure
        }
        if let failure, !tracker.isComplete { throw failure }
    }

    /// Nobody waits for a place in the window any more.
    private func cut() {
        isCut = true
        for lane in lanesWaiting { lane.resume() }
        lanesWaiting = []
    }

    // MARK: Sending

    /// - Returns: why the connection is of no more use, or nil when there is nothing left for this lane.
    private func send(_ lane: [Int], _ connection: BatchConnection) async -> Failure? {
        for index in lane where tracker.isOpen(index) {
            while outstanding.count >= options.window, !isCut {
                await withCheckedContinuation { lanesWaiting.append($0) }
            }
            if isCut { return nil }
            if let failure = await send(index, connection) { return failure }
        }
        return nil
    }

    private func send(_ index: Int, _ connection: BatchConnection) async -> Failure? {
        let message = entries[index].command.message(
            id: messageIDs[index],
            correlationID: String(index),
            replyTo: connection.replies.queue
        )
        outstanding.insert(index)
        let isFirst = tracker.sending(index, now: clock.now)
        do throws(AMQPError) {
            // A queue that refuses is full, or about to have a new leader.
            while try await connection.client.publish(AMQPMessage(message), timeout: nil) != .confirmed {
                try? await Task.sleep(for: .milliseconds(200))
                guard !isCut else { throw AMQPError(.closed) }
            }
            hasConfirmed = (true, true)
            return nil
        } catch {
            if isFirst, !error.outcomeUnknown { tracker.notSent(index) }
            return isCut ? nil : connection.failure(error)
        }
    }

    // MARK: Receiving

    private func readReplies(_ connection: BatchConnection) async -> Failure? {
        do throws(AMQPError) {
            for try await delivery in connection.replies {
                accept(delivery.message)
                try? delivery.acknowledge()
                if tracker.isComplete { return nil }
            }
            return isCut ? nil : connection.failure(AMQPError(.closed))
        } catch {
            return isCut ? nil : connection.failure(error)
        }
    }

    private func accept(_ delivered: AMQPMessage) {
        let message = Message(delivered)
        guard let index = message.correlationID?.text.flatMap({ Int($0) }), let reply = ReceivedReply(message) else {
            return
        }
        problem = nil
        switch tracker.received(reply, to: index, now: clock.now) {
        case .none: break
        case .provisional: output.keep(reply.body, of: index)
        case .final: output.add(reply.body, of: index)
        }
        guard outstanding.remove(index) != nil, !lanesWaiting.isEmpty else { return }
        lanesWaiting.removeFirst().resume()
    }

    private func watchForSilence() async -> End? {
        while !isOver {
            let left = options.timeout - (clock.now - tracker.lastActivity)
            guard left > .zero else { return .silence(problem) }
            try? await Task.sleep(for: left)
        }
        return nil
    }

    // MARK: Showing

    private func keepShowing() async -> End? {
        while !isOver {
            try? await Task.sleep(for: Self.tick)
            output.flush()
            if Interrupt.hasCome { return .interrupted }
            guard options.showsProgress, !isOver else { continue }
            let line = ProgressLine(
                completed: tracker.completed,
                total: tracker.count,
                notSucceeded: tracker.completed - tracker.outcomes[.succeeded, default: 0],
                elapsed: clock.now - startedAt
            )
            StandardError.write("\r\(line.text(width: Terminal.width(2)))\u{1b}[K")
        }
        return nil
    }

    private func report(_ line: String) {
        if options.showsProgress { StandardError.write("\r\u{1b}[K") }
        StandardError.line(line)
    }
}

/// A connection for a batch, with a reply queue that is this connection's alone.
struct BatchConnection: Sendable {
    let client: CommandConnection
    let replies: AMQPConsumer

    static func open(_ configuration: PublisherConfiguration, window: Int) async throws(Failure) -> BatchConnection {
        let client = try await CommandConnection.opened(configuration)
        do throws(PaymentClientError) {
            let replies = try await client.openReplyQueue(prefetch: UInt16(window))
            return BatchConnection(client: client, replies: replies)
        } catch {
            await client.close()
            throw Failure(error)
        }
    }

    /// What an error on it means.
    func failure(_ error: AMQPError) -> Failure { Failure(client.failure(error)) }
}

/// Ctrl-C as something to ask about. The second one has its usual effect, for the impatient.
enum Interrupt {
    private static let isPending = Atomic<Bool>(false)

    static var hasCome: Bool { isPending.load(ordering: .relaxed) }

    static func watch() {
        // Made before the handler can run, which must not be the first to use it.
        isPending.store(false, ordering: .relaxed)
        signal(SIGINT) { _ in
            signal(SIGINT, SIG_DFL)
            Interrupt.isPending.store(true, ordering: .relaxed)
        }
    }
}
