import Core
import Logging

/// Asks the broker's management API, where there is one configured, for what AMQP does not tell: policies that remove what waits in our
/// queues, and bindings that are gone.
struct PolicyWatch: Sendable {
    let api: ManagementAPI
    let topology: Topology
    let watch: TopologyWatch
    let logger: Logger

    private static let period = Duration.seconds(15)

    /// Until the task is cancelled.
    func run() async {
        var lastProblem: String?
        while !Task.isCancelled {
            do throws(ManagementError) {
                try await check()
                lastProblem = nil
            } catch {
                if error.description != lastProblem, !Task.isCancelled {
                    lastProblem = error.description
                    logger.warning(
                        "the broker's management API does not tell of policies and bindings",
                        metadata: ["error": "\(error)"]
                    )
                }
            }
            try? await Task.sleep(for: Self.period)
        }
    }

    /// Tells of what there is now.
    func check() async throws(ManagementError) {
        note(policies: try await api.policies())
        let missing = try await missingBindings()
        let lost = Set(missing.map { BrokerTrouble.Object.binding(queue: $0.queue, exchange: $0.exchange) })
        watch.troubles.note(lost.map { BrokerTrouble(object: $0, problem: .missing) })
        let all = topology.bindings.map { BrokerTrouble.Object.binding(queue: $0.queue, exchange: $0.exchange) }
        watch.troubles.clear(all.filter { !lost.contains($0) })
        if !lost.isEmpty { watch.signal.raise() }
    }

    func missingBindings() async throws(ManagementError) -> [Topology.Binding] {
        var missing: [Topology.Binding] = []
        for (exchange, bindings) in Dictionary(grouping: topology.bindings, by: \.exchange) {
            let present: Set<BoundQueue>
            do throws(ManagementError) {
                present = try await api.bindings(of: exchange)
            } catch {
                // An exchange that is missing is reported by itself.
                if error.description == "status 404" { continue }
                throw error
            }
            missing += bindings.filter { !present.contains(BoundQueue(queue: $0.queue, key: $0.key)) }
        }
        return missing.sorted { ($0.exchange, $0.queue) < ($1.exchange, $1.queue) }
    }

    private func note(policies: [String: JSONValue]) {
        for queue in topology.queues {
            let object = BrokerTrouble.Object.policy(queue: queue.name)
            let harm = policies[queue.name].map { QueuePolicy.harm(of: $0, arguments: queue.arguments) } ?? []
            if harm.isEmpty {
                watch.troubles.clear([object])
            } else {
                watch.troubles.note(object, .other("removes what waits: \(harm.joined(separator: ", "))"))
            }
        }
    }
}

/// What a policy of the broker does to what waits in a queue.
enum QueuePolicy {
    /// - Parameters:
    ///   - definition: of the policy that is in force.
    ///   - arguments: of the queue, as the topology declares it: they win over the policy.
    /// - Returns: the parts of it that remove, expire or drop messages that wait.
    static func harm(of definition: JSONValue, arguments: [String: HeaderValue]) -> [String] {
        var harm: [String] = []
        if definition["expires"] != nil { harm.append("expires") }
        // What has a time to live already comes back the sooner, and is not lost.
        if definition["message-ttl"] != nil, arguments["x-message-ttl"] == nil { harm.append("message-ttl") }
        let dropsHead = definition["overflow"]?.string.map { $0 == "drop-head" } ?? true
        if dropsHead, arguments["x-overflow"] == nil {
            harm += ["max-length", "max-length-bytes"].filter { definition[$0] != nil }
        }
        return harm
    }
}
