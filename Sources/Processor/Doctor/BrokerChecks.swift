import AMQP
import Core
import Logging

/// Whether the broker can be logged in to, has the topology, and lets this user do what a processor does.
struct BrokerChecks: Sendable {
    let configuration: ProcessorConfiguration

    func findings() async -> [Finding] {
        let connection: AMQPConnection
        do throws(AMQPError) {
            connection = try await AMQPConnection.connect(configuration.broker.named("processor doctor"))
        } catch {
            return [Finding("broker", .wrong, "\(error); see amqp.url (AMQP_URL)")]
        }
        var findings = [Finding("broker", .ok, "logged in at \(configuration.broker.place)")]
        let (topology, isWhole) = await topology(on: connection)
        findings.append(topology)
        if isWhole {
            findings.append(await rights())
            findings.append(await unread(on: connection))
            findings += await placements()
        }
        await connection.close()
        return findings
    }

    private func topology(on connection: AMQPConnection) async -> (Finding, isWhole: Bool) {
        let topology = Topology(names: configuration.names, partitions: configuration.partitions)
        do throws(TopologyError) {
            let missing = try await TopologyDeclarer(topology: topology, declares: false).missing(on: connection)
            guard missing.isEmpty else {
                let list = missing.map(\.description).joined(separator: ", ")
                let grade: Finding.Grade = configuration.declaresTopology ? .advice : .wrong
                return (Finding("topology", grade, "missing: \(list); run `processor topology`"), false)
            }
        } catch {
            return (Finding("topology", .wrong, "\(error)"), false)
        }
        let count = topology.exchanges.count + topology.queues.count
        return (Finding("topology", .ok, "\(count) exchanges and queues, \(configuration.partitions) partitions"), true)
    }

    /// As `processor run` tries them before it takes a command, and without changing anything: with other settings than those of
    /// the processors that run, what they use would look superfluous.
    private func rights() async -> Finding {
        var strays = StrayPartitions(configuration)
        strays.isOnlyNamed = true
        let preparation = BrokerPreparation(
            declarer: TopologyDeclarer(
                topology: Topology(names: configuration.names, partitions: configuration.partitions),
                declares: false
            ),
            strays: strays,
            configuration: configuration.broker,
            policies: nil,
            logger: Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() }
        )
        do throws(TopologyError) {
            let strays = try await preparation.run()
            guard strays.queues.isEmpty else {
                let list = strays.queues.map(\.name).joined(separator: ", ")
                return Finding(
                    "broker rights",
                    .advice,
                    "queues beyond amqp.partitions: \(list); set amqp.partitions to what it was, or let them be drained"
                )
            }
            return Finding("broker rights", .ok, "may publish to every exchange and read every queue")
        } catch {
            return Finding("broker rights", .wrong, "\(error)")
        }
    }

    /// AMQP does not tell where a queue is.
    private func placements() async -> [Finding] {
        guard let address = configuration.management else {
            guard configuration.broker.addresses.count > 1 else { return [] }
            return [
                Finding("queue leaders", .advice, "not known; set amqp.management-url (AMQP_MANAGEMENT_URL)")
            ]
        }
        let topology = Topology(names: configuration.names, partitions: configuration.partitions)
        do {
            let api = try ManagementAPI(address, broker: configuration.broker)
            let placements: Result<[QueuePlacement], ManagementError>
            do throws(ManagementError) {
                placements = .success(try await api.placements())
            } catch {
                placements = .failure(error)
            }
            await api.close()
            return LeaderChecks(
                queues: Set(topology.queues.map(\.name)),
                nodesNamed: configuration.broker.addresses.count
            ).findings(try placements.get())
        } catch {
            return [
                Finding("queue leaders", .wrong, "the management API does not tell: \(error); see amqp.management-url")
            ]
        }
    }

    /// A reply queue that nobody reads grows until the broker is out of memory.
    private func unread(on connection: AMQPConnection) async -> Finding {
        let queue = configuration.names.repliesQueue
        guard let count = try? await connection.messageCount(of: queue) else {
            return Finding(queue, .wrong, "its depth cannot be read; run `processor topology`")
        }
        guard count < 100_000 else {
            let advice = "\(count) replies wait: read them (`publisher replies`), or give the queue a policy"
            return Finding(queue, .advice, advice + " with max-length")
        }
        return Finding(queue, .ok, "\(count) replies wait")
    }
}

/// Whether the loss of one node of a cluster stops nothing and moves little: each queue is on several nodes, and they share the
/// leaders (docs/operations.md#a-cluster-of-brokers).
struct LeaderChecks: Sendable {
    let queues: Set<String>
    /// How many nodes `amqp.url` names.
    let nodesNamed: Int

    /// - Parameter placements: of all queues of the broker, as its management API tells.
    func findings(_ placements: [QueuePlacement]) -> [Finding] {
        let ours = placements.filter { queues.contains($0.queue) }
        let nodes = Set(ours.flatMap(\.members)).count
        guard !ours.isEmpty, max(nodes, nodesNamed) > 1 else { return [] }
        return [members(ours, of: max(nodes, nodesNamed)), leaders(ours, of: nodes)]
    }

    private func members(_ placements: [QueuePlacement], of nodes: Int) -> Finding {
        let wanted = min(nodes, Self.members)
        let short = placements.filter { $0.members.count < wanted }.map(\.queue).sorted()
        guard !short.isEmpty else { return Finding("queue members", .ok, "each queue is on \(wanted) nodes or more") }
        let list = short.joined(separator: ", ")
        return Finding(
            "queue members",
            .advice,
            "on fewer than \(wanted) nodes: \(list); run `rabbitmq-queues grow NODE all` for each node that lacks them"
        )
    }

    private func leaders(_ placements: [QueuePlacement], of nodes: Int) -> Finding {
        let counts = Dictionary(grouping: placements.compactMap(\.leader)) { $0 }.mapValues(\.count)
        let list = counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        guard counts.count == 1, nodes > 1, placements.count > 1 else {
            return Finding("queue leaders", counts.isEmpty ? .wrong : .ok, counts.isEmpty ? "no queue has one" : list)
        }
        return Finding(
            "queue leaders",
            .advice,
            "one node leads all queues: \(list); run `rabbitmq-queues rebalance quorum`, and set queue_leader_locator = balanced"
        )
    }

    /// Of a quorum queue, where nothing else is asked for.
    private static let members = 3
}
