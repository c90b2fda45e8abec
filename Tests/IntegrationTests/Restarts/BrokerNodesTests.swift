import AMQP
import Core
import TestSupport
import Testing

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
