import Configuration
import ConfigurationText
import Core
import Glibc
import PaymentCommands

/// Where the broker is, and what its exchanges are called: all that a publisher has to know
/// (docs/contract.md#configuration).
struct PublisherConfiguration: Sendable, Equatable {
    let client: PaymentClientConfiguration
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
        let (client, brokerProblems) = PaymentClientConfiguration.checked(
            url: value(.url) ?? "amqp://guest:guest@127.0.0.1:5672/%2f",
            prefix: value(.prefix) ?? "payments",
            caFile: value(.caFile),
            certFile: value(.certFile),
            keyFile: value(.keyFile),
            allowsPlaintext: value(.allowPlaintext) == "true",
            connectionName: "publisher"
        )
        var problems = brokerProblems.map(Self.text)
        do throws(ConfigurationProblem) {
            cardKey = try value(.cardKey).map { text throws(ConfigurationProblem) in try CardKeySource(text) }
        } catch {
            cardKey = nil
            problems.append("\(BrokerKey.cardKey.rawValue): \(error)")
        }
        guard problems.isEmpty else { throw Failure(.configuration, problems) }
        self.client = client
    }

    private static func text(_ problem: BrokerProblem) -> String {
        switch problem {
        case .url(let problem): "\(BrokerKey.url.rawValue): \(problem)"
        case .plaintext:
            "\(BrokerKey.url.rawValue): leads to another machine without amqps://; use it, or set "
                + "\(BrokerKey.allowPlaintext.variable) to true"
        case .prefix: "\(BrokerKey.prefix.rawValue): \(BrokerProblem.prefixRule)"
        case .halfCertificate: "\(BrokerKey.certFile.rawValue) and \(BrokerKey.keyFile.rawValue): one needs the other"
        }
    }

    /// What cards are sealed for; `nil`: they are sent as they are.
    func cardSealingKey() async throws(Failure) -> CardPublicKey? {
        do throws(PaymentClientError) {
            return try await cardKey?.key()
        } catch {
            throw Failure(cardKey: error)
        }
    }

    private static func provider(_ text: (BrokerKey) -> String?) -> InMemoryProvider {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for key in BrokerKey.allCases {
            guard let text = text(key), !text.isEmpty else { continue }
            values[AbsoluteConfigKey(key.configKey)] = ConfigValue(.string(text), isSecret: true)
        }
        return InMemoryProvider(values: values)
    }
}

extension Failure {
    /// What is wrong with the key to seal cards for.
    init(cardKey error: PaymentClientError) {
        self.init(error.code == .unavailable ? .unavailable : .configuration, "\(BrokerKey.cardKey.rawValue): \(error)")
    }
}

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

/// The `.env` of the working directory, as the processor reads it. A line that is no assignment is passed over here: the processor,
/// whose file it mostly is, complains about it.
enum EnvironmentFile {
    /// - Returns: nothing when there is no such file.
    /// - Throws: when it is there and cannot be read.
    static func variables(path: String) throws(FileProblem) -> [String: String] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let number = errno
            if number == ENOENT { return [:] }
            throw FileProblem(number: number)
        }
        defer { close(descriptor) }
        var reader = LineReader(descriptor: descriptor, maximumLength: 64 * 1_024)
        var lines: [String] = []
        while let line = try reader.next() {
            if case .line(let bytes) = line { lines.append(String(decoding: bytes, as: UTF8.self)) }
        }
        return DotEnvFile(lines.joined(separator: "\n")).variables
    }
}
