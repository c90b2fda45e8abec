import TestSupport

/// The servers of a torture: one of each, or three brokers and a database with a standby.
struct TortureServers: Sendable {
    let brokers: [PrivateServices]
    private let cluster: BrokerCluster?

    /// Where the database is.
    var database: PrivateServices { brokers[0] }

    /// The addresses of all of them.
    var all: TestServers { from(0) }

    /// The same, but the broker with that number comes first.
    func from(_ index: Int) -> TestServers { cluster?.servers(from: index) ?? database.servers }

    /// Lets each broker lead as many queues as the others.
    func spreadLeaders() async throws {
        if cluster != nil { try await database.call("spread", "rabbitmq") }
    }

    /// Starts them, gives them to a test, and takes them down whatever happened.
    static func run(isCluster: Bool, _ body: (TortureServers) async throws -> Void) async throws {
        guard isCluster else {
            return try await PrivateServices.run { services in
                try await body(TortureServers(brokers: [services], cluster: nil))
            }
        }
        var first = PrivateServices.Kind(names: ["rabbitmq", "postgres", "standby"])
        first.environment["STANDBY"] = "synchronous"
        try await BrokerCluster.run(first) { cluster in
            try await body(TortureServers(brokers: cluster.nodes, cluster: cluster))
        }
    }
}
