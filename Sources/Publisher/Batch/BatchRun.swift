import AMQP
import BrokerMapping
import Core

/// Sends the commands of a batch and gathers the replies.
///
/// All of it happens on one actor: a fixed number of lanes publish, one message each at a time; one task reads the replies;
/// nothing is made per command but the message itself. All commands of a payment go through one lane, so they leave in the
/// order of the file, also when the broker refuses one and it is sent again. A command's correlation id is its place in the
/// batch, which suffices in a reply queue that is this run's alone.
actor BatchRun {
    /// Why a run ends.
    enum End: Equatable, Sendable {
        case completed
        /// No reply for as long as the timeout.
        case silence
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
    /// A queue that refuses is full, or about to have a new leader.
    private static let pauseAfterRefusal = Duration.milliseconds(200)
    private static let tick = Duration.milliseconds(100)
    private static let outputBuffer = 64 * 1_024

    private let client: BrokerClient
    private let replies: AMQPConsumer
    private let entries: [BatchEntry]
    private let options: Options
    private let clock = ContinuousClock()
    private let startedAt: ContinuousClock.Instant
    private(set) var ledger: BatchLedger
    /// The places of the commands that each lane sends.
    private let lanes: [[Int]]
    /// Commands that hold a place in the window: sent, and without any reply.
    private var outstanding = 0
    /// Those for whom there is no place in the window, the longest waiting first.
    private var lanesWaiting: [CheckedContinuation<Void, Never>] = []
    private var isOver = false
    private var output: [UInt8] = []
    /// The `unknown` replies whose final ones have not come.
    private var provisionals: [Int: [UInt8]] = [:]

    init(client: BrokerClient, replies: AMQPConsumer, entries: [BatchEntry], options: Options) {
        self.client = client
        self.replies = replies
        self.entries = entries
        self.options = options
        startedAt = clock.now
        ledger = BatchLedger(count: entries.count, now: startedAt)
        let laneCount = max(min(Self.maximumLanes, options.window, entries.count), 1)
        var lanes = [[Int]](repeating: [], count: laneCount)
        for (index, entry) in entries.enumerated() {
            lanes[Int(UInt(bitPattern: entry.command.paymentID.hashValue) % UInt(laneCount))].append(index)
        }
        self.lanes = lanes
    }

    var summary: BatchSummary { BatchSummary(ledger, elapsed: clock.now - startedAt) }

    func run() async -> End {
        Interrupt.watch()
        let end = await withTaskGroup(of: End?.self) { group in
            for lane in lanes where !lane.isEmpty { group.addTask { await self.send(lane) } }
            group.addTask { await self.readReplies() }
            group.addTask { await self.watchForSilence() }
            group.addTask { await self.keepShowing() }
            var end: End?
            for await result in group where end == nil && result != nil {
                end = result
                finish()
                group.cancelAll()
            }
            return end ?? .completed
        }
        for (_, body) in provisionals.sorted(by: { $0.key < $1.key }) { printBody(body) }
        flush()
        if options.showsProgress { StandardError.write("\r\u{1b}[K") }
        return end
    }

    private func finish() {
        isOver = true
        for lane in lanesWaiting { lane.resume() }
        lanesWaiting = []
    }

    // MARK: Sending

    /// - Returns: why the run cannot go on, or nil when there is nothing left for this lane.
    private func send(_ lane: [Int]) async -> End? {
        for index in lane {
            while outstanding >= options.window, !isOver {
                await withCheckedContinuation { lanesWaiting.append($0) }
            }
            if isOver { return nil }
            if let failure = await send(index) { return .failed(failure) }
        }
        return nil
    }

    private func send(_ index: Int) async -> Failure? {
        let message = entries[index].command.message(
            id: Identifier.unique(),
            correlationID: String(index),
            replyTo: replies.queue
        )
        outstanding += 1
        ledger.sending(index, now: clock.now)
        do throws(AMQPError) {
            while try await client.publish(AMQPMessage(message), timeout: nil) != .confirmed {
                if isOver { return nil }
                try? await Task.sleep(for: Self.pauseAfterRefusal)
            }
            return nil
        } catch {
            if !error.outcomeUnknown { ledger.notSent(index) }
            return isOver ? nil : client.failure(error)
        }
    }

    // MARK: Receiving

    private func readReplies() async -> End? {
        do throws(AMQPError) {
            for try await delivery in replies {
                accept(delivery.message)
                try? delivery.acknowledge()
                if ledger.isComplete { return .completed }
            }
            return isOver ? nil : .failed(client.failure(AMQPError(.closed)))
        } catch {
            return .failed(client.failure(error))
        }
    }

    private func accept(_ delivered: AMQPMessage) {
        let message = Message(delivered)
        guard let index = message.correlationID?.text.flatMap({ Int($0) }), let reply = ReceivedReply(message) else {
            return
        }
        switch ledger.received(reply, to: index, now: clock.now) {
        case .none:
            break
        case .provisional:
            if options.json { provisionals[index] = reply.body }
            freePlace()
        case .final(let wasProvisional):
            if options.json {
                provisionals[index] = nil
                printBody(reply.body)
            }
            if !wasProvisional { freePlace() }
        }
    }

    private func freePlace() {
        outstanding -= 1
        if !lanesWaiting.isEmpty { lanesWaiting.removeFirst().resume() }
    }

    private func watchForSilence() async -> End? {
        while !isOver {
            let left = options.timeout - (clock.now - ledger.lastActivity)
            guard left > .zero else { return .silence }
            try? await Task.sleep(for: left)
        }
        return nil
    }

    // MARK: Showing

    private func keepShowing() async -> End? {
        while !isOver {
            try? await Task.sleep(for: Self.tick)
            flush()
            if Interrupt.hasCome { return .interrupted }
            guard options.showsProgress, !isOver else { continue }
            let line = ProgressLine(
                settled: ledger.settled,
                total: ledger.count,
                notSucceeded: ledger.settled - ledger.outcomes[.succeeded, default: 0],
                elapsed: clock.now - startedAt
            )
            StandardError.write("\r\(line.text(width: Terminal.width(2)))\u{1b}[K")
        }
        return nil
    }

    private func printBody(_ body: [UInt8]) {
        output.append(contentsOf: body)
        output.append(UInt8(ascii: "\n"))
        if output.count > Self.outputBuffer { flush() }
    }

    private func flush() {
        guard !output.isEmpty else { return }
        StandardOutput.write(output)
        output.removeAll(keepingCapacity: true)
    }
}
