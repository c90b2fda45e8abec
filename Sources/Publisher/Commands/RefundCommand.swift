import ArgumentParser
import Core
import PaymentCommands

struct RefundCommand: SingleCommand {
    static let configuration = CommandConfiguration(
        commandName: "refund",
        abstract: "Give the money of a captured payment back.",
        discussion: """
            EXAMPLE:
              publisher refund --payment-id 0195a7c2-6f0e-7c3a-9c55-1f2e3d4c5b6a

            EXIT CODES: 0 refunded, 2 declined, 3 rejected, 4 unknown or no reply, 64 usage, \
            69 broker, 78 configuration.
            """
    )

    @OptionGroup
    var payment: PaymentOptions

    @OptionGroup
    var whole: WholeAmountOptions

    @OptionGroup
    var sending: SendingOptions

    func draft(now: Timestamp) throws(Failure) -> OutgoingCommand {
        OutgoingCommand(
            kind: .refund,
            paymentID: payment.paymentID,
            options: sending,
            deadline: try sending.deadline(now: now),
            body: whole.body
        )
    }
}
