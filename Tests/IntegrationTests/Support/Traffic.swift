import AMQP
import Core
import Synchronization
import TestSupport
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

/// Authorizes, each of a payment of its own, one after the other as long as it runs: none of them needs the retry tiers.
final class SteadyLoad: Sendable {
    private let world: World
    private let sent = Mutex<[TestCommand]>([])
    private let isStopped = Mutex(false)
    private let task = Mutex<Task<Void, any Error>?>(nil)

    init(_ world: World) {
        self.world = world
    }

    var commands: [TestCommand] { sent.withLock { $0 } }

    func start() {
        let task = Task { [self] in
            while !isStopped.withLock({ $0 }) {
                let command = TestCommand.authorize()
                try await world.send(command)
                sent.withLock { $0.append(command) }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        self.task.withLock { $0 = task }
    }

    /// Waits until so many more have been sent and answered.
    func goesOn(_ count: Int = 10) async throws {
        let known = commands.count
        try await world.comesTrueOrThrows("\(count) more commands were answered") {
            let later = commands.dropFirst(known).prefix(count)
            return later.count == count
                && later.allSatisfy { world.upstream.replies(to: $0.correlation).contains(where: \.isFinal) }
        }
    }

    func stop() async throws {
        // Not cancelled: what is being sent is sent.
        isStopped.withLock { $0 = true }
        try await task.withLock { $0 }?.value
    }
}

extension World {
    fileprivate func comesTrueOrThrows(_ what: String, _ condition: () async throws -> Bool) async throws {
        try await eventually(what, within: .seconds(60), context: { allProcessors.last?.child.lastWords ?? "" }) {
            try await condition()
        }
    }
}

/// The commands of one payment in the order in which a client sends them, at a distance in time and whether or not the ones
/// before are answered, and what has to become of each.
struct Lifecycle: Sendable {
    let steps: [(command: TestCommand, result: String)]

    static func number(_ number: Int) -> Lifecycle {
        let id = Random.id
        let authorize = (TestCommand.authorize(paymentID: id), "succeeded")
        let refused = "rejected invalid_transition"
        return switch number % 3 {
        case 0:
            Lifecycle(steps: [authorize, (.capture(id), "succeeded"), (.refund(id), "succeeded")])
        case 1:
            Lifecycle(steps: [authorize, (.capture(id), "succeeded"), (.void(id), refused)])
        default:
            Lifecycle(steps: [authorize, (.void(id), "succeeded"), (.capture(id), refused)])
        }
    }

    /// Sends one step after the other.
    func send(to world: World, apart distance: Duration) async throws {
        let start = ContinuousClock.now
        for (index, step) in steps.enumerated() {
            try await Task.sleep(until: start + distance * index)
            try await world.send(step.command)
        }
    }

    /// What became of it otherwise than as it was sent; `nil` when nothing did.
    func deviation(in world: World) -> String? {
        let results = steps.map { step in
            let reply = world.upstream.replies(to: step.command.correlation).first(where: \.isFinal)
            return "\(step.command.kind) \(reply?.result ?? "not final")"
        }
        let expected = steps.map { "\($0.command.kind) \($0.result)" }
        return results == expected ? nil : results.joined(separator: ", ")
    }
}
