import Configuration

/// The keys of the configuration that a publisher reads (docs/contract.md#configuration).
enum BrokerKey: String, CaseIterable {
    case url = "amqp.url"
    case prefix = "amqp.prefix"
    case caFile = "amqp.ca-file"
    case certFile = "amqp.cert-file"
    case keyFile = "amqp.key-file"
    case cardKey = "publisher.card-key"
    case allowPlaintext = "allow-plaintext"

    /// Its name in the environment and in `.env`.
    var variable: String {
        String(rawValue.map { $0 == "." || $0 == "-" ? "_" : $0 }).uppercased()
    }

    var configKey: ConfigKey { ConfigKey(rawValue) }
}
