import AMQP
import Configuration
import Core

/// Where the broker is, and what its exchanges are called: all that a publisher has to know (contract.md §5).
struct PublisherConfiguration: Sendable, Equatable {
    let amqp: AMQPConfiguration
    let names: BrokerNames

    private static let urlKey = ConfigKey("amqp.url")
    private static let prefixKey = ConfigKey("amqp.prefix")
    private static let variables = ["AMQP_URL", "AMQP_PREFIX"]

    /// From the command line, the environment, and `.env` of the working directory, in this order.
    ///
    /// - Throws: `Failure` with a line for every value that is unusable.
    static func load(_ options: BrokerOptions) throws(Failure) -> PublisherConfiguration {
        let file: [String: String]
        do throws(FileProblem) {
            file = try EnvironmentFile.variables(path: ".env")
        } catch {
            throw Failure(.configuration, ".env is there but cannot be read: \(error)")
        }
        return try PublisherConfiguration(
            url: options.amqpUrl,
            prefix: options.amqpPrefix,
            environment: Terminal.environment,
            file: file
        )
    }

    /// With the address and the prefix of the command line. An empty value counts as not set, wherever it stands.
    init(
        url: String?,
        prefix: String?,
        environment: (String) -> String?,
        file: [String: String]
    ) throws(Failure) {
        let reader = ConfigReader(providers: [
            InMemoryProvider(values: Self.values([(Self.urlKey, url), (Self.prefixKey, prefix)])),
            Self.provider(environment),
            Self.provider { file[$0] },
        ])
        let url = reader.string(forKey: Self.urlKey, isSecret: true, default: "amqp://guest:guest@127.0.0.1:5672/%2f")
        let prefix = reader.string(forKey: Self.prefixKey, default: "payments")
        var problems: [String] = []
        var amqp = AMQPConfiguration()
        do throws(AMQPError) {
            amqp = try AMQPConfiguration(url: url)
        } catch {
            problems.append("amqp.url: \(error.problem ?? error.description)")
        }
        if !Self.isUsable(prefix: prefix) {
            problems.append("amqp.prefix: must be 1 to 64 characters of A-Z a-z 0-9 . _ - and not amq or amq.…")
        }
        guard problems.isEmpty else { throw Failure(.configuration, problems) }
        amqp.connectionName = "publisher"
        self.amqp = amqp
        names = BrokerNames(prefix: prefix)
    }

    private static func values(_ commandLine: [(ConfigKey, String?)]) -> [AbsoluteConfigKey: ConfigValue] {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for (key, text) in commandLine {
            guard let text, !text.isEmpty else { continue }
            values[AbsoluteConfigKey(key)] = ConfigValue(.string(text), isSecret: true)
        }
        return values
    }

    private static func provider(_ environment: (String) -> String?) -> EnvironmentVariablesProvider {
        var values: [String: String] = [:]
        for name in variables {
            guard let text = environment(name), !text.isEmpty else { continue }
            values[name] = text
        }
        return EnvironmentVariablesProvider(environmentVariables: values, secretsSpecifier: .all)
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
