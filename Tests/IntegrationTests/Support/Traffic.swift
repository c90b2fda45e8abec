import AMQP
import Testing

/// A stream of commands of all kinds, four to a payment, whose every answer is known beforehand.
struct Traffic: Sendable {
    private struct Payment: Sendable {
        let commands: [TestCommand]
        let results: [String]
    }

    private let payments: [Payment]

    init(payments count: Int) {
        payments = (0..<count).map { number in
            let id = Random.id
            let authorize = TestCommand.authorize(paymentID: id)
            return switch number % 3 {
            case 0:
                Payment(
                    commands: [authorize, .capture(id), .refund(id), authorize.duplicate],
                    results: ["succeeded", "succeeded", "succeeded", "succeeded"]
                )
            case 1:
                Payment(
                    commands: [authorize, .void(id), authorize.duplicate, .authorize(paymentID: id)],
                    results: ["succeeded", "succeeded", "succeeded", "rejected payment_exists"]
                )
            default:
                Payment(
                    commands: [authorize, .authorize(paymentID: id), .capture(id), authorize.duplicate],
                    results: ["succeeded", "rejected payment_exists", "succeeded", "succeeded"]
                )
            }
        }
    }

    var commands: [TestCommand] { payments.flatMap(\.commands) }

    /// One payment after the other. A command is sent when its payment's commands before it are answered: what overtakes it
    /// by way of the retry tiers would change its outcome, rightly.
    func publish(to world: World, pause: Duration) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for payment in payments {
                group.addTask {
                    for command in payment.commands {
                        try await world.send(command)
                        _ = try await world.upstream.finalReply(to: command, within: .seconds(400))
                    }
                }
                try await Task.sleep(for: pause)
            }
            try await group.waitForAll()
        }
    }

    /// Waits for all final replies: each as it had to be, and however often it came, always the same.
    func check(in world: World) async throws {
        let replies = try await world.upstream.finalReplies(to: commands, within: .seconds(400))
        #expect(replies.map(\.result) == payments.flatMap(\.results))
        for (command, reply) in zip(commands, replies) {
            let finals = world.upstream.replies(to: command.correlation).filter(\.isFinal)
            #expect(finals.allSatisfy { $0.message.body == reply.message.body })
            #expect(
                finals.count { $0.isReplayed == false && !$0.isRedelivered } <= 1,
                "\(command.kind): \(finals.map { "\($0.isReplayed == true) \($0.isRedelivered)" })"
            )
        }
    }
}
