import AMQP
import Core
import Logging

/// Checks every few seconds whether everything is there that the processor needs at the broker, and declares again what
/// is not. Where it must not declare it only tells.
///
/// Bindings cannot be asked for, so all of them are made again each time, which changes nothing where they are there.
///
/// A queue is declared again when two checks in a row have found it missing. RabbitMQ ends the consumers of a deleted queue a little
/// later than the queue: one that is declared again before that keeps them, and they are given messages that never arrive.
struct TopologyKeeper: Sendable {
    let session: AMQPSession
    let declarer: TopologyDeclarer
    /// Command queues beyond the partitions, which stay unbound.
    let strays: StrayPartitions
    let watch: TopologyWatch
    let logger: Logger

    private static let period = Duration.seconds(5)
    /// Between two checks, whoever wishes for them.
    private static let pause = Duration.seconds(1)

    /// Until the task is cancelled.
    func run() async {
        var lastProblem: String?
        var absent: Set<BrokerTrouble.Object> = []
        while !Task.isCancelled {
            do {
                let connection = try await session.connection()
                absent = try await check(on: connection, missingBefore: absent)
                lastProblem = nil
            } catch let error as TopologyError {
                // A broker that is away is reported by its connection; the rest once.
                if !error.isRetriable, error.description != lastProblem {
                    lastProblem = error.description
                    logger.error("the topology cannot be kept", metadata: ["error": "\(error)"])
                }
            } catch {
                // The session has ended.
            }
            try? await Task.sleep(for: Self.pause)
            try? await watch.signal.wait(atMost: Self.period - Self.pause, SystemTime())
        }
    }

    /// - Returns: the queues that are missing, and may be declared at the next check.
    func check(
        on connection: AMQPConnection,
        missingBefore: Set<BrokerTrouble.Object>
    ) async throws(TopologyError) -> Set<BrokerTrouble.Object> {
        let missing = Set(try await declarer.missing(on: connection))
        watch.troubles.note(missing.map { BrokerTrouble(object: $0, problem: .missing) })
        found(declarer.objects.filter { !missing.contains($0) })
        watch.troubles.forgetOld()
        guard declarer.declares else { return [] }
        let absent = missing.filter { $0.isQueue && !missingBefore.contains($0) }
        if !absent.isEmpty { watch.signal.raise() }
        let due = missing.subtracting(absent)
        let declared = due.isEmpty ? [] : try await declarer.declare(due, without: absent, on: connection)
        found(declared)
        try await declarer.bind(without: missing.subtracting(declared), on: connection)
        if absent.isEmpty { watch.troubles.clear(declarer.routes + declarer.bindings) }
        try await strays.unbind(on: connection)
        return absent
    }

    private func found(_ objects: [BrokerTrouble.Object]) {
        for case .exchange(let name) in objects where watch.troubles.isMissing(.exchange(name)) {
            watch.gate.open(name)
        }
        watch.troubles.clear(objects, of: .missing)
    }
}

/// What those who publish and consume share with the keeper of the topology: what they find missing, and the wish that
/// it checks.
final class TopologyWatch: Sendable {
    let troubles: BrokerTroubles
    let gate = DestinationGate()
    let confirms: ConfirmGate
    /// Raised for the keeper.
    let signal = WakeUpSignal()

    /// - Parameter slots: how many commands may be under way.
    init(_ troubles: BrokerTroubles, slots: Int = 1) {
        self.troubles = troubles
        confirms = ConfirmGate(limit: min(slots / 8, 16))
    }

    /// Tells of it, and has it checked soon.
    func note(_ object: BrokerTrouble.Object, _ problem: BrokerTrouble.Problem) {
        troubles.note(object, problem)
        signal.raise()
    }
}
