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

extension FaultLane {
    // Two ways to the same broker stand for two nodes: what a client sees of one that is stopped or gone is the same.
    @Suite("Several nodes of the broker", .timeLimit(.minutes(5)))
    struct BrokerNodesTests {
        @Test(
            "a node that falls silent, and one that is gone, are left for the other; commands flow, and the log names them"
        )
        func failover() async throws {
            try await World.run { world in
                let broker = ServerURL(world.servers.amqpURL)
                let first = try TCPProxy(toPort: broker.port)
                let second = try TCPProxy(toPort: broker.port)
                defer { for proxy in [first, second] { proxy.stop() } }
                let both = broker.through(first, second) + "?heartbeat=2"
                let processor = try await world.startProcessor(nil, ["AMQP_URL": both])
                #expect(try await world.ask(.authorize()).result == "succeeded")

                // As SIGSTOP does it: connections are taken, and nothing is answered any more.
                for direction in [TCPProxy.Direction.toServer, .toClient] { first.setStalled(direction, true) }
                #expect(try await world.ask(.authorize()).result == "succeeded")
                try await processor.logged("no heartbeat from the broker: 127.0.0.1:\(first.port)")

                first.setRefusing(true)
                first.cutConnections()
                for direction in [TCPProxy.Direction.toServer, .toClient] { first.setStalled(direction, false) }
                second.setRefusing(true)
                second.cutConnections()
                try await processor.logged("connection refused by 127.0.0.1:\(second.port)")
                second.setRefusing(false)
                #expect(try await world.ask(.authorize()).result == "succeeded")

                // The publisher goes to the node that is there, too.
                let payment = Random.id
                try await world.ask(.authorize(paymentID: payment))
                let result = try await world.publisher(["capture", "--payment-id", payment, "--amqp-url", both])
                #expect(result.exit == .status(0), "\(result.errors)")
                second.setRefusing(true)
                second.cutConnections()
                let refused = try await world.publisher(["void", "--payment-id", payment, "--amqp-url", both])
                #expect(refused.exit == .status(69))
                for proxy in [first, second] {
                    #expect(
                        refused.errors.contains("connection refused by 127.0.0.1:\(proxy.port)"),
                        "\(refused.errors)"
                    )
                }
                second.setRefusing(false)
            }
        }

        @Test("an unknown name in the query of amqp.url is a configuration error of both programs")
        func query() async throws {
            // Nothing is processed, so there is nothing to audit.
            try await World.run(World.Settings(isAudited: false)) { world in
                let url = world.servers.amqpURL + "?heartbeats=30"
                let processor = try await world.command(["check-config"], ["AMQP_URL": url])
                #expect(processor.exit == .status(78))
                #expect(processor.errors.contains("heartbeat and connection_timeout"), "\(processor.errors)")
                let publisher = try await world.publisher(["void", "--payment-id", Random.id, "--amqp-url", url])
                #expect(publisher.exit == .status(78), "\(publisher.errors)")
            }
        }
    }
}
