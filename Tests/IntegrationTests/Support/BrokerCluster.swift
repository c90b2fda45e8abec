import TestSupport

/// Three nodes of RabbitMQ that are one cluster, and a PostgreSQL, for one test alone.
final class BrokerCluster: Sendable {
    let nodes: [PrivateServices]

    private init(_ nodes: [PrivateServices]) {
        self.nodes = nodes
    }

    /// Starts them, gives them to a test, and takes them down whatever happened.
    ///
    /// - Parameter first: what the first of the three has beside its broker: a PostgreSQL, perhaps with a standby.
    static func run(
        _ first: PrivateServices.Kind = PrivateServices.Kind(),
        _ body: (BrokerCluster) async throws -> Void
    ) async throws {
        try await PrivateServices.run(first) { first in
            var joining = PrivateServices.Kind(names: ["rabbitmq"])
            joining.environment["RABBITMQ_CLUSTER"] = first.directory
            try await PrivateServices.run(joining) { second in
                try await PrivateServices.run(joining) { third in
                    try await body(BrokerCluster([first, second, third]))
                }
            }
        }
    }

    /// All nodes in one address, those from the index on first.
    func servers(from index: Int = 0) -> TestServers {
        let ports = nodes.indices.map { ServerURL(nodes[($0 + index) % nodes.count].servers.amqpURL).port }
        let url = ServerURL(nodes[0].servers.amqpURL).hosts(ports)
        return TestServers(amqpURL: url + "?heartbeat=2", databaseURL: nodes[0].servers.databaseURL)
    }
}
