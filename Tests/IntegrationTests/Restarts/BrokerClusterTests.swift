import AMQP
import Core
import TestSupport
import Testing

extension RestartLane {
    @Suite("A cluster of brokers", .timeLimit(.minutes(15)))
    struct BrokerClusterTests {
        @Test("what a queue without a leader has refused it takes when it has one, though the last one's node is away")
        func refusedWithoutLeader() async throws {
            try await BrokerCluster.run { cluster in
                let queue = "replies.test.\(Random.name)"
                func connect(to node: Int) async throws -> AMQPConnection {
                    try await AMQPConnection.connect(AMQPConfiguration(url: cluster.nodes[node].servers.amqpURL))
                }
                // Its leader is where it is declared.
                try await connect(to: 0).declareQueue(queue, arguments: ["x-queue-type": "quorum"])
                let connection = try await connect(to: 1)
                // Nobody can be elected.
                for node in cluster.nodes[1...] { try await node.call("mute", queue) }
                try await cluster.nodes[0].call("kill", "rabbitmq")
                try await eventually("a message was refused") {
                    try await connection.publish(AMQPMessage(), exchange: "", routingKey: queue) == .nacked
                }
                for node in cluster.nodes[1...] { try await node.call("unmute", queue) }
                try await eventually("a message was confirmed") {
                    try await connection.publish(AMQPMessage(), exchange: "", routingKey: queue) == .confirmed
                }
                await connection.close()
            }
        }

        @Test("whichever node is killed, frozen or lost, commands flow; without a majority they wait, none is ready")
        func nodes() async throws {
            try await BrokerCluster.run { cluster in
                let settings = World.Settings(servers: cluster.servers(), partitions: 8)
                try await World.run(settings) { world in
                    let processors = [
                        try await world.startProcessor(),
                        // Connected to another node.
                        try await world.startProcessor(nil, ["AMQP_URL": cluster.servers(from: 1).amqpURL]),
                    ]
                    try await spreadLeaders(cluster, world)
                    let load = SteadyLoad(world)
                    load.start()
                    try await load.goesOn()
                    // The first one has declared everything; with a scale of 3 all of them.
                    for node in cluster.nodes.prefix(TestScale.cluster) {
                        try await node.call("kill", "rabbitmq")
                        try await load.goesOn(20)
                        try await node.call("start", "rabbitmq")
                        try await load.goesOn()
                        try await node.call("freeze", "rabbitmq")
                        try await load.goesOn(20)
                        try await node.call("thaw", "rabbitmq")
                        // Where the others have missed it, it joins them anew.
                        try await node.call("start", "rabbitmq")
                        try await load.goesOn()
                    }
                    // For good: the node that the first processor began with.
                    try await cluster.nodes[0].call("kill", "rabbitmq")
                    try await load.goesOn(50)
                    for processor in processors { try await processor.answersReady(200) }
                    let authorize = [
                        "authorize", "--amount", "100", "--order-id", "o", "--customer-id", "c", "--cvv", "123",
                        "--card", "4111111111111111", "--expiry", "12/2030",
                    ]
                    let published = try await world.publisher(authorize)
                    #expect(published.exit == .status(0), "\(published.errors)")
                    // No majority is left, and nobody can take anything.
                    try await cluster.nodes[1].call("kill", "rabbitmq")
                    for processor in processors { try await processor.answersReady(503) }
                    try await cluster.nodes[1].call("start", "rabbitmq")
                    for processor in processors { try await processor.answersReady(200) }
                    try await load.goesOn(20)
                    try await load.stop()
                    try await world.expect(load.commands, endAs: "succeeded", within: .seconds(120))
                }
            }
        }

        /// The doctor says that the node where all queues were declared leads them all, until others do, too.
        private func spreadLeaders(_ cluster: BrokerCluster, _ world: World) async throws {
            let management = try #require(cluster.nodes[1].managementURL)
            func doctor() async throws -> String {
                try await world.command(["doctor"], ["AMQP_MANAGEMENT_URL": management]).output
            }
            var said = try await doctor()
            #expect(said.contains("one node leads all queues: "), "\(said)")
            try await cluster.nodes[0].call("spread", "rabbitmq")
            #expect(
                try await world.comesTrue {
                    said = try await doctor()
                    return !said.contains("one node leads all queues: ")
                },
                "\(said)"
            )
            #expect(said.contains("each queue is on 3 nodes or more"), "\(said)")
        }
    }
}
