import ArgumentParser
import ConfigurationReading
import ConfigurationText
import Core

/// What the commands that send one message have in common.
struct SendingOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Under one key a command takes effect once. (default: a new one)", valueName: "key"))
    var idempotencyKey: String?

    @Option(help: ArgumentHelp("Whose payment it is. (default: default)", valueName: "id"))
    var merchantID: String?

    @Option(
        help: ArgumentHelp(
            "Not sent to the bank after this: an instant such as 2030-01-31T12:00:00Z, or a duration from now such as 30s.",
            valueName: "instant"
        )
    )
    var deadline: String?

    @Option(help: ArgumentHelp("How long to wait for the final reply: 250ms, 15s, 2m, 1h.", valueName: "duration"))
    var timeout = "60s"

    @Flag(help: "End when the broker has the command; the reply goes to the common reply queue.")
    var noWait = false

    @Flag(help: "Print the reply as the JSON it came as, on one line.")
    var json = false

    @Flag(help: "Send it whatever it looks like, also with a card number that cannot be right.")
    var noCheck = false

    @OptionGroup
    var broker: BrokerOptions

    var timeLimit: Duration {
        get throws(Failure) { try DurationText.usable(timeout, option: "--timeout") }
    }

    /// A duration counts from now.
    func deadline(now: Timestamp) throws(Failure) -> Timestamp? {
        guard let deadline else { return nil }
        return try DeadlineText.instant(deadline, now: now)
    }
}

/// The payment that a command is about.
struct PaymentOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The payment, as its authorize named it.", valueName: "uuid"))
    var paymentID: String
}

/// The amount of a capture or refund, which the bank takes whole.
struct WholeAmountOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The whole amount in minor units, to be sure. (default: whatever it is)", valueName: "cents")
    )
    var amount: String?

    var body: JSONValue {
        .object(amount.map { ["amount": AmountText.json($0)] } ?? [:])
    }
}

/// Where the broker is: common to all commands.
struct BrokerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The broker's address.",
            discussion: "Who is on this machine can see it in the process list, but not AMQP_URL.",
            valueName: "url"
        )
    )
    var amqpUrl: String?

    @Option(help: ArgumentHelp("What the names of the exchanges begin with.", valueName: "prefix"))
    var amqpPrefix: String?

    @Option(help: ArgumentHelp("The authorities to trust with amqps://, a PEM file.", valueName: "path"))
    var amqpCaFile: String?

    @Option(help: ArgumentHelp("The client's certificate chain for amqps://, a PEM file.", valueName: "path"))
    var amqpCertFile: String?

    @Option(help: ArgumentHelp("The client's unencrypted private key for amqps://, a PEM file.", valueName: "path"))
    var amqpKeyFile: String?

    /// What was given, by the name of the setting.
    var values: [String: String] {
        let settings = PublisherSettings.table
        let options = [
            (settings.url.descriptor, amqpUrl), (settings.prefix.descriptor, amqpPrefix),
            (settings.caFile.descriptor, amqpCaFile), (settings.certFile.descriptor, amqpCertFile),
            (settings.keyFile.descriptor, amqpKeyFile),
        ]
        return options.reduce(into: [:]) { given, option in given[option.0.name] = option.1 }
    }
}

/// ArgumentParser takes the last of two equal options without a word; with money that is no good.
enum RepeatedOption {
    /// - Throws: `Failure` where an option is given twice.
    static func check(_ arguments: [String]) throws(Failure) {
        var seen: Set<Substring> = []
        for argument in arguments.prefix(while: { $0 != "--" }) where argument.hasPrefix("--") {
            let name = argument.prefix { $0 != "=" }
            guard seen.insert(name).inserted else {
                throw Failure(.usage, "\(CardNumberMask.masking(String(name))) is given twice: give it once")
            }
        }
    }
}

extension DurationText {
    /// - Throws: `Failure` naming the option, for anything that is no usable duration.
    static func usable(_ text: String, option: String) throws(Failure) -> Duration {
        guard let duration = usable(text) else {
            throw Failure(.usage, "\(option) must be a duration such as 250ms, 15s, 2m or 1h")
        }
        return duration
    }

    /// `nil` for zero and for more than 1,000 hours, too.
    static func usable(_ text: String) -> Duration? {
        duration(of: text).flatMap { $0 > .zero && $0 <= .seconds(3_600_000) ? $0 : nil }
    }
}

/// A deadline as a person gives it: an RFC 3339 instant, or a duration from now.
enum DeadlineText {
    static func instant(_ text: String, now: Timestamp) throws(Failure) -> Timestamp {
        if let instant = Timestamp(text) { return instant }
        if let duration = DurationText.usable(text) { return now.advanced(by: duration) }
        throw Failure(.usage, "--deadline must be an instant such as 2030-01-31T12:00:00Z or a duration such as 30s")
    }
}

/// An amount as it was typed. Whether it is one, the rules of the command decide.
enum AmountText {
    /// A number where it reads as one, such as `5000` or `50.00`; else a string.
    static func json(_ text: String) -> JSONValue {
        guard case .number(let token)? = try? JSONParser.parse(Array(text.utf8)) else { return .string(text) }
        return .number(token)
    }
}
