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
}
