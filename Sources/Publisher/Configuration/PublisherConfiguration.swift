import AMQP
import Configuration
import ConfigurationText
import Core

/// Where the broker is, and what its exchanges are called: all that a publisher has to know
/// (docs/contract.md#configuration).
struct PublisherConfiguration: Sendable, Equatable {
    let amqp: AMQPConfiguration
    let names: BrokerNames
    /// A file or an address: what cards are sealed for. `nil`: they are sent as they are.
    let cardKey: CardKeySource?

    /// From the command line, the environment, and `.env` of the working directory, in this order.
    ///
    /// - Parameter cardKey: what `--card-key` says.
    /// - Throws: `Failure` with a line for every value that is unusable.
    static func load(_ options: BrokerOptions, cardKey: String? = nil) throws(Failure) -> PublisherConfiguration {
        let file: [String: String]
        do throws(FileProblem) {
            file = try EnvironmentFile.variables(path: ".env")
        } catch {
            throw Failure(.configuration, ".env is there but cannot be read: \(error)")
        }
        var values = options.values
        values[.cardKey] = cardKey
        return try PublisherConfiguration(values, environment: Terminal.environment, file: file)
    }

    /// With what the command line says. An empty value counts as not set, wherever it stands.
    init(
        _ commandLine: [BrokerKey: String],
        environment: (String) -> String?,
        file: [String: String]
    ) throws(Failure) {
        let reader = ConfigReader(providers: [
            Self.provider { commandLine[$0] },
            Self.provider { environment($0.variable) },
            Self.provider { file[$0.variable] },
        ])
        func value(_ key: BrokerKey) -> String? { reader.string(forKey: key.configKey, isSecret: true) }
        let prefix = value(.prefix) ?? "payments"
        var problems: [String] = []
        var amqp = AMQPConfiguration()
        do throws(AMQPError) {
            amqp = try AMQPConfiguration(url: value(.url) ?? "amqp://guest:guest@127.0.0.1:5672/%2f")
        } catch {
            problems.append("\(BrokerKey.url.rawValue): \(error.problem ?? error.description)")
        }
        let isAllowed = value(.allowPlaintext) == "true"
        if !amqp.usesTLS, !isAllowed, !amqp.addresses.allSatisfy({ LoopbackHost.matches($0.host) }) {
            problems.append(
                "\(BrokerKey.url.rawValue): leads to another machine without amqps://; use it, or set "
                    + "\(BrokerKey.allowPlaintext.variable) to true"
            )
        }
        if !Self.isUsable(prefix: prefix) {
            problems.append(
                "\(BrokerKey.prefix.rawValue): must be 1 to 64 characters of A-Z a-z 0-9 . _ - and not amq or amq.…"
            )
        }
        amqp.caFile = value(.caFile)
        amqp.certFile = value(.certFile)
        amqp.keyFile = value(.keyFile)
        if (amqp.certFile == nil) != (amqp.keyFile == nil) {
            problems.append("\(BrokerKey.certFile.rawValue) and \(BrokerKey.keyFile.rawValue): one needs the other")
        }
        do throws(ConfigurationProblem) {
            cardKey = try value(.cardKey).map { text throws(ConfigurationProblem) in try CardKeySource(text) }
        } catch {
            cardKey = nil
            problems.append("\(BrokerKey.cardKey.rawValue): \(error)")
        }
        guard problems.isEmpty else { throw Failure(.configuration, problems) }
        amqp.connectionName = "publisher"
        self.amqp = amqp
        names = BrokerNames(prefix: prefix)
    }

    private static func provider(_ text: (BrokerKey) -> String?) -> InMemoryProvider {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for key in BrokerKey.allCases {
            guard let text = text(key), !text.isEmpty else { continue }
            values[AbsoluteConfigKey(key.configKey)] = ConfigValue(.string(text), isSecret: true)
        }
        return InMemoryProvider(values: values)
    }

    /// The broker keeps names that begin with `amq.` to itself.
    private static func isUsable(prefix: String) -> Bool {
        (1...64).contains(prefix.utf8.count) && !"\(prefix).".hasPrefix("amq.")
            && prefix.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
