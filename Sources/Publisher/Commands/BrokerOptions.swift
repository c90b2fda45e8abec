import ArgumentParser

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

    /// What was given.
    var values: [BrokerKey: String] {
        let options: [BrokerKey: String?] = [
            .url: amqpUrl, .prefix: amqpPrefix, .caFile: amqpCaFile, .certFile: amqpCertFile, .keyFile: amqpKeyFile,
        ]
        return options.compactMapValues(\.self)
    }
}
