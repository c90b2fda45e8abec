import ConfigurationReading
import ConfigurationText
import Core
import FoundationEssentials
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
        let file: DotEnvFile
        do throws(FileProblem) {
            file = try EnvironmentFile.read(path: ".env")
        } catch {
            throw Failure(.configuration, ".env is there but cannot be read: \(error)")
        }
        var commandLine = options.values
        commandLine[PublisherSettings.table.cardKey.descriptor.name] = cardKey
        return try PublisherConfiguration(
            ConfigurationInputs(
                commandLine: commandLine,
                environment: ProcessInfo.processInfo.environment,
                file: file
            )
        )
    }

    /// What is wrong with the file itself is passed over: the processor, whose file it mostly is, complains about it.
    init(_ inputs: ConfigurationInputs) throws(Failure) {
        let settings = PublisherSettings.table
        let values = SettingReader(inputs, settings.entries).values
        let (client, brokerProblems) = PaymentClientConfiguration.checked(
            url: values[settings.url] ?? "",
            prefix: values[settings.prefix] ?? "",
            caFile: values[settings.caFile] ?? nil,
            certFile: values[settings.certFile] ?? nil,
            keyFile: values[settings.keyFile] ?? nil,
            allowsPlaintext: values[settings.allowsPlaintext] == "true",
            connectionName: "publisher"
        )
        var problems = brokerProblems.map(Self.text)
        do throws(ConfigurationProblem) {
            cardKey = try (values[settings.cardKey] ?? nil).map { text throws(ConfigurationProblem) in
                try CardKeySource(text)
            }
        } catch {
            cardKey = nil
            problems.append("\(settings.cardKey.descriptor.name): \(error)")
        }
        guard problems.isEmpty else { throw Failure(.configuration, problems) }
        self.client = client
    }

    private static func text(_ problem: BrokerProblem) -> String {
        let settings = PublisherSettings.table
        func name(_ setting: Setting<some Sendable>) -> String { setting.descriptor.name }
        return switch problem {
        case .url(let problem): "\(name(settings.url)): \(problem)"
        case .plaintext:
            "\(name(settings.url)): leads to another machine without amqps://; use it, or set "
                + "\(settings.allowsPlaintext.descriptor.variable) to true"
        case .prefix: "\(name(settings.prefix)): \(BrokerProblem.prefixRule)"
        case .halfCertificate: "\(name(settings.certFile)) and \(name(settings.keyFile)): one needs the other"
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
}

extension Failure {
    /// What is wrong with the key to seal cards for.
    init(cardKey error: PaymentClientError) {
        let name = PublisherSettings.table.cardKey.descriptor.name
        self.init(error.code == .unavailable ? .unavailable : .configuration, "\(name): \(error)")
    }
}

/// The table of keys that a publisher reads (docs/contract.md#configuration). The library checks what they say.
struct PublisherSettings: SettingTable {
    static let table = PublisherSettings()

    let url = Setting(
        "amqp.url",
        .text,
        default: "amqp://guest:guest@127.0.0.1:5672/%2f",
        help: "The broker's address"
    )
    let prefix = Setting("amqp.prefix", .text, default: "payments", help: "What the names of the exchanges begin with")
    let caFile = Setting("amqp.ca-file", .text, help: "The authorities to trust with amqps://, a PEM file")
    let certFile = Setting("amqp.cert-file", .text, help: "The client's certificate chain for amqps://, a PEM file")
    let keyFile = Setting("amqp.key-file", .text, help: "The client's unencrypted private key for amqps://, a PEM file")
    let cardKey = Setting("publisher.card-key", .text, help: "The processor's public key, a file or an address")
    let allowsPlaintext = Setting(
        "allow-plaintext",
        .text,
        default: "false",
        help: "true lets amqp:// lead to another machine"
    )
}

/// The `.env` of the working directory, as the processor reads it. A line that is no assignment is passed over here: the processor,
/// whose file it mostly is, complains about it.
enum EnvironmentFile {
    /// - Returns: nothing when there is no such file.
    /// - Throws: when it is there and cannot be read.
    static func read(path: String) throws(FileProblem) -> DotEnvFile {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let number = errno
            if number == ENOENT { return DotEnvFile() }
            throw FileProblem(number: number)
        }
        defer { close(descriptor) }
        var reader = LineReader(descriptor: descriptor, maximumLength: 64 * 1_024)
        var lines: [String] = []
        while let line = try reader.next() {
            if case .line(let bytes) = line { lines.append(String(decoding: bytes, as: UTF8.self)) }
        }
        return DotEnvFile(lines.joined(separator: "\n"))
    }
}
