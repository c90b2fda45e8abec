import ArgumentParser
import Core
import PaymentCommands

struct CaptureCommand: SingleCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture",
        abstract: "Take the money of an authorized payment.",
        discussion: """
            EXAMPLE:
              publisher capture --payment-id 0195a7c2-6f0e-7c3a-9c55-1f2e3d4c5b6a

            EXIT CODES: 0 captured, 2 declined, 3 rejected, 4 unknown or no reply, 64 usage, \
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
            kind: .capture,
            paymentID: payment.paymentID,
            options: sending,
            deadline: try sending.deadline(now: now),
            body: whole.body
        )
    }
}

struct VoidCommand: SingleCommand {
    static let configuration = CommandConfiguration(
        commandName: "void",
        abstract: "Give up an authorized payment: its hold on the card is released.",
        discussion: """
            EXAMPLE:
              publisher void --payment-id 0195a7c2-6f0e-7c3a-9c55-1f2e3d4c5b6a

            EXIT CODES: 0 voided, 2 declined, 3 rejected, 4 unknown or no reply, 64 usage, \
            69 broker, 78 configuration.
            """
    )

    @OptionGroup
    var payment: PaymentOptions

    @OptionGroup
    var sending: SendingOptions

    func draft(now: Timestamp) throws(Failure) -> OutgoingCommand {
        OutgoingCommand(
            kind: .void,
            paymentID: payment.paymentID,
            options: sending,
            deadline: try sending.deadline(now: now),
            body: .object([:])
        )
    }
}

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
