import ArgumentParser
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
