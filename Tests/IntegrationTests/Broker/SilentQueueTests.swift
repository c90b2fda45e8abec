import AMQP
import Core
import TestSupport
import Testing

extension OutageLane {
    @Suite("A reply queue that confirms nothing", .timeLimit(.minutes(15)))
    struct SilentQueueTests {
        struct Load: Sendable {
            /// Of each of two command queues.
            let prefetch: Int
            let commands: Int
            /// Whether the processor has published to the queue before.
            let isKnown: Bool
        }

        /// Few places for commands, all of which could wait for the queue; and more unconfirmed messages than the broker reads ahead.
        static let loads = [
            Load(prefetch: 4, commands: 40, isKnown: false), Load(prefetch: 4, commands: 40, isKnown: true),
            Load(prefetch: 600, commands: 900, isKnown: true),
        ]

        @Test(
            "holds up no command that is answered elsewhere, is named, and gets its replies in the end",
            arguments: loads
        )
        func clientQueue(load: Load) async throws {
            try await PrivateServices.run { services in
                try await World.run(World.Settings(servers: services.servers)) { world in
                    let processor = try await world.startProcessor(nil, ["AMQP_PREFETCH": "\(load.prefetch)"])
                    let silent = "replies.silent.\(Random.name)"
                    try await world.upstream.withConnection { connection in
                        // It is browsed again and again, which RabbitMQ 4 ends after 20 times if it is not told otherwise.
                        try await connection.declareQueue(
                            silent,
                            arguments: ["x-queue-type": .string("quorum"), "x-delivery-limit": .int(1_000_000)]
                        )
                    }
                    var asked: [TestCommand] = []
                    if load.isKnown {
                        asked = [.authorize()]
                        try await world.send(asked, repliesTo: silent)
                        try await world.areReplied(asked, in: silent)
                    }
                    try await services.call("mute", silent)
                    let waiting = (0..<load.commands).map { _ in TestCommand.authorize() }
                    try await world.send(waiting, repliesTo: silent)
                    try await world.bankReceives(asked.count + min(load.commands, load.prefetch * 2))

                    for _ in 0..<2 {
                        let others = (0..<50).map { _ in TestCommand.authorize() }
                        try await world.send(others)
                        try await world.expect(others, endAs: "succeeded", within: .seconds(60))
                        try await processor.reportsProblem("queue \(silent) confirms nothing")
                    }
                    try await processor.answersReady(200)
                    let lines = processor.log.split(separator: "\n")
                    #expect(lines.count { $0.contains("\(silent) confirms nothing") } == 1)
                    try await eventually("the replies were postponed") {
                        try await world.metric("payments_replies_postponed_total") >= load.commands
                    }

                    try await services.call("unmute", silent)
                    try await world.areReplied(asked + waiting, in: silent)
                    try await processor.reportsNoProblem()
                    try await world.upstream.withConnection { _ = try await $0.deleteQueue(silent) }
                }
            }
        }

        @Test("is reported by the readiness where it is the default one, and is answered in the end")
        func defaultQueue() async throws {
            try await PrivateServices.run { services in
                try await World.run(World.Settings(servers: services.servers)) { world in
                    let processor = try await world.startProcessor(nil, ["AMQP_PREFETCH": "2"])
                    let replies = world.names.repliesQueue
                    try await services.call("mute", replies)
                    let waiting = (0..<10).map { _ in TestCommand.authorize() }
                    try await world.send(waiting, repliesTo: nil)
                    try await processor.reportsProblem("queue \(replies) confirms nothing")
                    try await processor.answersReady(503)
                    let others = (0..<50).map { _ in TestCommand.authorize() }
                    try await world.send(others)
                    try await world.expect(others, endAs: "succeeded", within: .seconds(60))

                    try await services.call("unmute", replies)
                    try await processor.answersReady(200)
                    try await world.areReplied(waiting, in: replies)
                }
            }
        }
    }
}

extension World {
    fileprivate func send(_ commands: [TestCommand], repliesTo queue: String?) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for command in commands {
                let message = command.message(replyTo: queue)
                group.addTask { try await self.upstream.publish(message, to: self.names.commandsExchange) }
            }
            try await group.waitForAll()
        }
    }

    /// Waits until each has a final reply in that queue.
    fileprivate func areReplied(_ commands: [TestCommand], in queue: String) async throws {
        let wanted = Set(commands.map(\.correlation))
        try await eventually("\(commands.count) replies were in \(queue)", within: .seconds(240)) {
            let count = try await waiting(in: queue)
            guard count >= wanted.count else { return false }
            return wanted.isSubset(of: try await upstream.browse(queue).compactMap(\.properties.correlationID))
        }
    }
}
