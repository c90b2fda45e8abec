import AMQP
import Core
import Logging

/// Looks every few seconds whether everything is there that the processor needs at the broker, and declares again what is not. Where it
/// must not declare it only tells.
///
/// Bindings cannot be asked for, so all of them are made again each time, which changes nothing where they are there.
struct TopologyKeeper: Sendable {
    let session: AMQPSession
    let declarer: TopologyDeclarer
    /// Command queues beyond the partitions, which stay unbound.
    let strays: StrayPartitions
    let watch: TopologyWatch
    let logger: Logger

    private static let period = Duration.seconds(5)
    /// Between two looks, whoever wishes for them.
    private static let pause = Duration.seconds(1)

    /// Until the task is cancelled.
    func run() async {
        var lastProblem: String?
        while !Task.isCancelled {
            do {
                let connection = try await session.connection()
                try await look(on: connection)
                lastProblem = nil
            } catch let error as TopologyError {
                // A broker that is away is told by its connection; the rest once.
                if !error.isRetriable, error.description != lastProblem {
                    lastProblem = error.description
                    logger.error("the topology cannot be kept", metadata: ["error": "\(error)"])
                }
            } catch {
                // The session has ended.
            }
            try? await Task.sleep(for: Self.pause)
            try? await watch.bell.wait(atMost: Self.period - Self.pause, SystemTime())
        }
    }

    private func look(on connection: AMQPConnection) async throws(TopologyError) {
        let missing = Set(try await declarer.missing(on: connection))
        watch.troubles.note(missing.map { BrokerTrouble(object: $0, problem: .missing) })
        found(declarer.objects.filter { !missing.contains($0) })
        watch.troubles.forgetOld()
        guard declarer.declares else { return }
        if missing.isEmpty {
            try await declarer.bind(on: connection)
        } else {
            try await declarer.declare(on: connection)
            found(Array(missing))
        }
        watch.troubles.clear(declarer.routes + declarer.bindings)
        try await strays.unbind(on: connection)
    }

    private func found(_ objects: [BrokerTrouble.Object]) {
        for case .exchange(let name) in objects where watch.troubles.isMissing(.exchange(name)) {
            watch.gate.open(name)
        }
        watch.troubles.clear(objects, of: .missing)
    }
}
