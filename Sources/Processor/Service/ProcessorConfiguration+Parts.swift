import AMQP
import Core
import Logging
import Postgres

extension ProcessorConfiguration {
    var fingerprinter: Fingerprinter {
        Fingerprinter(secret: fingerprintSecret.bytes, previous: self.previousSecrets.map(\.bytes))
    }
}

extension AMQPConfiguration {
    /// The same with another name in the broker's list of connections.
    func named(_ name: String) -> AMQPConfiguration {
        var copy = self
        copy.connectionName = name
        return copy
    }
}

extension PostgresPaymentStore {
    init(
        _ pools: DatabasePools,
        fingerprinter: Fingerprinter,
        on executor: (any TaskExecutor)? = nil,
        report: @escaping @Sendable (StoreReport) -> Void = { _ in }
    ) {
        self.init(
            claimPool: pools.claims,
            resultPool: pools.results,
            sweepPool: pools.sweeps,
            fingerprinter: fingerprinter,
            on: executor,
            report: report
        )
    }
}

extension TopologyDeclarer {
    init(_ configuration: ProcessorConfiguration) {
        self.init(
            topology: Topology(names: configuration.names, partitions: configuration.partitions),
            declares: configuration.declaresTopology
        )
    }
}

extension PolicyWatch {
    /// `nil` where there is no management API to ask.
    ///
    /// - Throws: `HTTPError` where the process is out of threads or descriptors.
    init?(_ configuration: ProcessorConfiguration, _ watch: TopologyWatch, _ logger: Logger) throws {
        guard let address = configuration.management else { return nil }
        self.init(
            api: try ManagementAPI(address, broker: configuration.broker),
            topology: Topology(names: configuration.names, partitions: configuration.partitions),
            watch: watch,
            logger: logger
        )
    }
}

extension StrayPartitions {
    init(_ configuration: ProcessorConfiguration) {
        self.init(
            names: configuration.names,
            partitions: configuration.partitions,
            prefetch: configuration.prefetch,
            unbinds: configuration.declaresTopology
        )
    }
}

extension ConfigurationError {
    /// The database has seen another secret (docs/contract.md#configuration).
    static let otherFingerprintSecret = ConfigurationError(problems: [
        "fingerprint.secret (FINGERPRINT_SECRET): is not the one that this database was first used with; "
            + "every honest duplicate would be refused, so set it back"
    ])
}
