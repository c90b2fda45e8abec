import AMQP
import Core
import Synchronization
import TestSupport
import Testing

extension RestartLane {
    @Suite("Objects of the broker that vanish while commands flow", .timeLimit(.minutes(15)))
    struct DriftTests {
        @Test("each is named and declared again, commands go on, and channels are not closed by the hundred")
        func declaredAgain() async throws {
            try await PrivateServices.run { services in
                let admin = try BrokerAdmin(try #require(services.managementURL))
                try await World.run(World.Settings(servers: services.servers)) { world in
                    let processor = try await world.startProcessor()
                    let load = SteadyLoad(world)
                    load.start()
                    try await load.goesOn()
                    let before = try await admin.closedChannels()
                    let names = world.names
                    let objects: [BrokerObject] = [
                        .exchange(names.eventsExchange), .exchange(names.sweeps), .exchange(names.retryExchange),
                        .exchange(names.deadLetters), .exchange(names.unrouted), .queue(names.retryQueue(.seconds5)),
                        .queue(names.repliesQueue), .queue(names.sweeps), .queue(names.deadLetters),
                    ]
                    // Those that the test's own checks have closed.
                    var own = 0
                    for object in objects {
                        try await world.delete(object)
                        try await processor.logged("\(object) is missing")
                        own += try await world.isBack(object)
                        try await load.goesOn()
                    }
                    try await world.unbind(names.retryQueue(.seconds30), from: names.retryExchange, key: "30s")
                    try await world.isBound(names.retryExchange, key: "30s")
                    try await load.stop()
                    try await world.expect(load.commands, endAs: "succeeded")

                    // An idle partition: what is in a queue that is deleted is lost with it.
                    try await world.delete(.queue(names.commandsQueue(1)))
                    own += try await world.isBack(.queue(names.commandsQueue(1)))
                    try await world.delete(.exchange(names.commandsExchange))
                    own += try await world.isBack(.exchange(names.commandsExchange))
                    // With its bindings.
                    try await processor.reportsNoProblem()
                    let after = (0..<20).map { _ in TestCommand.authorize() }
                    try await world.send(after)
                    try await world.expect(after, endAs: "succeeded")
                    try await processor.answersReady(200)
                    // A few for each object and check, not one for each message: the load alone has sent hundreds.
                    let closed = try await admin.closedChannels() - before - own
                    #expect(closed < 150, "\(closed) channels were closed")
                    #expect(processor.log.split(separator: "\n").count { $0.contains("\(objects[0]) is missing") } <= 3)
                }
                await admin.shutdown()
            }
        }

        @Test(
            "where the processor must not declare, what is missing is reported, and commands that do not need it go on"
        )
        func onlyNamed() async throws {
            let settings = World.Settings(processor: ["AMQP_DECLARE": "false"])
            try await World.run(settings) { world in
                #expect(try await world.command(["topology"]).exit == .status(0))
                let processor = try await world.startProcessor()
                let events = try await world.upstream.listenToEvents(of: world.names)
                let load = SteadyLoad(world)
                load.start()
                try await load.goesOn()
                for object in [
                    BrokerObject.exchange(world.names.eventsExchange), .exchange(world.names.retryExchange),
                    .exchange(world.names.deadLetters),
                ] {
                    try await world.delete(object)
                    try await processor.reportsProblem("\(object) is missing")
                }
                try await load.goesOn()
                // Nobody can be answered for these, and their dead letters cannot be published: the broker keeps them.
                // More than may be unacknowledged at a time.
                try await world.sendUnanswerable(Self.unanswerable)
                try await load.goesOn(20)
                try await load.stop()
                try await world.expect(load.commands, endAs: "succeeded")
                try await processor.answersReady(200)

                #expect(try await world.command(["topology"]).exit == .status(0))
                try await world.upstream.withConnection { connection in
                    try await connection.bindQueue(events, to: world.names.eventsExchange, routingKey: "payment.#")
                }
                try await processor.reportsNoProblem()
                try await eventually("all events were reported", within: .seconds(120)) {
                    try await world.database.number("SELECT count(*) FROM outbox WHERE sent_at IS NULL") == 0
                }
                // RabbitMQ tries again after three minutes what it could not dead-letter.
                let deadLetters = try await world.keptDeadLetters(Self.unanswerable, within: .seconds(400))
                let codes = Set(deadLetters.compactMap { $0["code"]?.string })
                #expect(codes.isSubset(of: ["unpublishable", "invalid_command"]))
                try await world.upstream.withConnection { _ = try await $0.deleteQueue(events) }
                let consent = ["--confirm", "\(Self.unanswerable)", "--reason", "test"]
                #expect(try await world.command(["dead-letters", "discard", "--all"] + consent).exit == .status(0))
            }
        }

        private static let unanswerable = 160
    }
}

/// Something at the broker that a test deletes.
enum BrokerObject: CustomStringConvertible, Sendable {
    case exchange(String)
    case queue(String)

    var description: String {
        switch self {
        case .exchange(let name): "exchange \(name)"
        case .queue(let name): "queue \(name)"
        }
    }
}

extension World {
    func delete(_ object: BrokerObject) async throws {
        try await upstream.withConnection { connection in
            switch object {
            case .exchange(let name): try await connection.deleteExchange(name)
            case .queue(let name): try await connection.deleteQueue(name)
            }
        }
    }

    func unbind(_ queue: String, from exchange: String, key: String) async throws {
        try await upstream.withConnection { try await $0.unbindQueue(queue, from: exchange, routingKey: key) }
    }

    /// - Returns: how many checks found nothing, each of which has closed a channel.
    func isBack(_ object: BrokerObject) async throws -> Int {
        let misses = Mutex(0)
        try await eventually("\(object) was declared again", context: { allProcessors.last?.child.lastWords ?? "" }) {
            do {
                try await upstream.withConnection { connection in
                    switch object {
                    case .exchange(let name): try await connection.checkExchange(name)
                    case .queue(let name): _ = try await connection.checkQueue(name)
                    }
                }
                return true
            } catch let error as AMQPError where error.code == .channelClosed(replyCode: 404) {
                misses.withLock { $0 += 1 }
                return false
            }
        }
        return misses.withLock { $0 }
    }

    /// By a message that its queue gives to nobody for a while.
    func isBound(_ exchange: String, key: String) async throws {
        try await eventually("\(exchange) was bound again for \(key)") {
            try await upstream.withConnection { connection in
                var message = AMQPMessage(body: [])
                message.properties.type = "a probe of a test"
                return try await connection.publish(message, exchange: exchange, routingKey: key) == .confirmed
            }
        }
        // It comes back as a message that nobody can be answered for.
        _ = try await keptDeadLetters(1)
        try await database.execute("DELETE FROM dead_letters")
    }
}

extension ProcessorProcess {
    /// Waits until `/readyz` names a problem.
    func reportsProblem(_ text: String) async throws {
        let web = try await admin()
        try await eventually("/readyz told that \(text)", context: { child.lastWords }) {
            try await web.json("/readyz")["problems"]?.elements.contains(.string(text)) == true
        }
        await web.shutdown()
    }

    func reportsNoProblem() async throws {
        let web = try await admin()
        try await eventually("/readyz told of no problem", within: .seconds(120), context: { child.lastWords }) {
            try await web.json("/readyz")["problems"] == nil
        }
        await web.shutdown()
    }
}

extension RestartLane {
    @Suite("The number of partitions", .timeLimit(.minutes(10)))
    struct PartitionTests {
        @Test("goes from eight to four and back under traffic, and every command is answered")
        func upAndDown() async throws {
            let settings = World.Settings(processor: World.shortLease, partitions: 8)
            try await World.run(settings) { world in
                let load = SteadyLoad(world)
                var processor = try await world.startProcessor()
                load.start()
                for partitions in [4, 8] {
                    try await load.goesOn()
                    #expect(try await processor.terminate() == .status(0))
                    // Into all queues there are, with nobody there.
                    try await world.send((0..<40).map { _ in TestCommand.authorize() })
                    processor = try await world.startProcessor(nil, ["AMQP_PARTITIONS": "\(partitions)"])
                    if partitions == 4 {
                        try await processor.logged("beyond amqp.partitions", world.names.commandsQueue(7))
                    }
                    try await load.goesOn()
                }
                try await load.stop()
                try await world.expect(load.commands, endAs: "succeeded")
                try await world.drained()
            }
        }

        @Test("where those beyond may not be unbound, the processor names them and ends with 1")
        func forbidden() async throws {
            try await PrivateServices.run { services in
                let admin = try BrokerAdmin(try #require(services.managementURL))
                let settings = World.Settings(servers: services.servers, partitions: 4)
                try await World.run(settings) { world in
                    try await world.prepareForAudit()
                    let beyond = world.names.commandsQueue(3)
                    let own = "^(?!\(beyond)$).*$"
                    try await admin.makeUser("restricted", configure: own, write: own, read: own)
                    let address = ServerURL(services.servers.amqpURL).asUser("restricted")
                    let changes = ["AMQP_URL": address, "AMQP_PARTITIONS": "3"]
                    let result = try await world.command(["run"], changes)
                    #expect(result.exit == .status(1))
                    #expect(result.errors.contains(beyond), "\(result.errors)")
                }
                await admin.shutdown()
            }
        }

        @Test("a user who may not publish replies is refused at start, in one line, before any card is charged")
        func defaultExchange() async throws {
            try await PrivateServices.run { services in
                let admin = try BrokerAdmin(try #require(services.managementURL))
                try await World.run(World.Settings(servers: services.servers)) { world in
                    try await world.prepareForAudit()
                    try await admin.makeUser("silent", write: "^test-.*$")
                    let address = ServerURL(services.servers.amqpURL).asUser("silent")
                    let result = try await world.command(["run"], ["AMQP_URL": address])
                    #expect(result.exit == .status(1))
                    #expect(result.errors.split(separator: "\n").last?.contains("default exchange") == true)
                    #expect(try await world.bank.requests().isEmpty)
                }
                await admin.shutdown()
            }
        }
    }
}
