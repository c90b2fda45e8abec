import AMQP
import Core
import TestSupport
import Testing

extension OutageLane {
    /// The table of docs/security.md#at-the-broker, with real users.
    @Suite("Permissions at the broker", .timeLimit(.minutes(10)))
    struct PermissionTests {
        private struct Rights {
            var configure = "^$"
            var write = "^$"
            var read = "^$"
        }

        private static func world(_ body: (World, BrokerAdmin) async throws -> Void) async throws {
            try await PrivateServices.run { services in
                let admin = try BrokerAdmin(try #require(services.managementURL))
                try await World.run(World.Settings(servers: services.servers)) { world in try await body(world, admin) }
                await admin.shutdown()
            }
        }

        /// A name in a regular expression.
        private static func literal(_ text: String) -> String { text.replacing(".", with: #"\."#) }

        private static func processor(_ names: BrokerNames) -> Rights {
            let prefix = literal(names.prefix)
            return Rights(
                configure: #"^\#(prefix)\."#,
                write: #"^(\#(prefix)\.|amq\.default$)"#,
                read: #"^\#(prefix)\."#
            )
        }

        private static func undeclaring(_ names: BrokerNames) -> Rights {
            let prefix = literal(names.prefix)
            return Rights(
                write: #"^(\#(prefix)\.(commands|retry|dead-letters|sweeps|events)|amq\.default)$"#,
                read: #"^\#(prefix)\.(commands\.[0-9]+|retry\.[0-9]+[smh]|dead-letters|unrouted|replies|sweeps)$"#
            )
        }

        private static func give(_ rights: Rights, to user: String, _ admin: BrokerAdmin) async throws {
            try await admin.makeUser(user, configure: rights.configure, write: rights.write, read: rights.read)
        }

        @Test("what the table gives each role is enough: to declare, to process, to pay, and to listen")
        func enough() async throws {
            try await Self.world { world, admin in
                let (broker, prefix) = (ServerURL(world.servers.amqpURL), Self.literal(world.names.prefix))
                let own = #"^\#(prefix)\."#
                try await Self.give(Rights(configure: own, write: own, read: own), to: "operator", admin)
                let declared = try await world.command(["topology"], ["AMQP_URL": broker.asUser("operator")])
                #expect(declared.exit == .status(0), "\(declared.errors)")

                let shop = #"^replies\.shop\."#
                let upstream = Rights(configure: shop, write: #"^\#(prefix)\.commands$"#, read: shop)
                try await Self.give(upstream, to: "shop", admin)
                let queue = #"^shop\."#
                let listener = Rights(configure: queue, write: queue, read: #"^(shop\.|\#(prefix)\.events$)"#)
                try await Self.give(listener, to: "listener", admin)
                let heard = try await AMQPConnection.connect(AMQPConfiguration(url: broker.asUser("listener")))
                try await heard.declareQueue("shop.events")
                try await heard.bindQueue("shop.events", to: world.names.eventsExchange, routingKey: "payment.*")

                for (user, rights, declares) in [
                    ("processor", Self.processor(world.names), "true"),
                    ("undeclaring", Self.undeclaring(world.names), "false"),
                ] {
                    try await Self.give(rights, to: user, admin)
                    let changes = ["AMQP_URL": broker.asUser(user), "AMQP_DECLARE": declares]
                    let doctor = try await world.command(["doctor"], changes)
                    #expect(
                        doctor.output.contains("may publish to every exchange and read every queue"),
                        "\(doctor.output)"
                    )
                    let processor = try await world.startProcessor(nil, changes)
                    let card = TestCard.ample
                    let paid = try await world.publisher(
                        [
                            "authorize", "--amount", "5000", "--order-id", "o", "--customer-id", "c", "--card",
                            card.number, "--cvv", card.cvv, "--expiry", "12/2030",
                        ],
                        ["AMQP_URL": broker.asUser("shop")]
                    )
                    #expect(paid.exit == .status(0), "\(paid.errors)")
                    // What goes round by way of a retry tier, and what is unanswerable.
                    let command = TestCommand.authorize()
                    try await world.bank.fault("drop-after", on: .authorize, count: 4)
                    try await world.send(command)
                    #expect(try await world.upstream.finalReply(to: command).result == "succeeded")
                    #expect(try await processor.terminate() == .status(0))
                    #expect(!processor.log.contains("ACCESS_REFUSED"))
                }
                try await eventually("the listener heard of it") {
                    try await heard.messageCount(of: "shop.events") == 4
                }
                try await heard.deleteQueue("shop.events")
                await heard.close()
            }
        }

        @Test("each right that a processor lacks is named in one line at its start, and the bank is not asked")
        func lacking() async throws {
            try await Self.world { world, admin in
                try await world.prepareForAudit()
                let names = world.names
                let prefix = Self.literal(names.prefix)
                let whole = Self.undeclaring(names)
                let writes = ["commands", "retry", "dead-letters", "sweeps", "events"]
                var table: [(Rights, String)] = writes.map { name in
                    let rest = writes.filter { $0 != name }.joined(separator: "|")
                    return (
                        Rights(write: #"^(\#(prefix)\.(\#(rest))|amq\.default)$"#, read: whole.read),
                        "exchange \(names.prefix).\(name)"
                    )
                }
                table.append((Rights(write: #"^\#(prefix)\."#, read: whole.read), "the default exchange (amq.default)"))
                let seen = #"retry\.[0-9]+[smh]|replies"#
                for (read, name) in [
                    ("commands\\.0|dead-letters|unrouted|sweeps", "queue \(names.commandsQueue(1))"),
                    ("commands\\.[0-9]+|unrouted|sweeps", "queue \(names.deadLetters)"),
                    ("commands\\.[0-9]+|dead-letters|sweeps", "queue \(names.unrouted)"),
                    ("commands\\.[0-9]+|dead-letters|unrouted", "queue \(names.sweeps)"),
                ] {
                    let read = #"^\#(prefix)\.(\#(read)|\#(seen))$"#
                    table.append((Rights(write: whole.write, read: read), name))
                }
                let command = TestCommand.authorize()
                try await world.send(command)
                for (rights, object) in table {
                    try await Self.give(rights, to: "restricted", admin)
                    let address = ServerURL(world.servers.amqpURL).asUser("restricted")
                    let run = try await world.command(["run"], ["AMQP_URL": address, "AMQP_DECLARE": "false"])
                    #expect(run.exit == .status(1), "\(object)")
                    let line = run.errors.split(separator: "\n").last ?? ""
                    // From RabbitMQ 4.3 on the exchange of this name is missed first.
                    let objects =
                        object == "queue \(names.unrouted)" ? [object, "exchange \(names.unrouted)"] : [object]
                    let isNamed = objects.contains { line.contains("the broker's user may not use \($0)") }
                    #expect(isNamed, "\(object): \(line)")
                }
                // To declare, it needs configure, too.
                let declaring = Self.processor(names)
                try await Self.give(Rights(write: declaring.write, read: declaring.read), to: "restricted", admin)
                let address = ServerURL(world.servers.amqpURL).asUser("restricted")
                let run = try await world.command(["run"], ["AMQP_URL": address])
                #expect(run.exit == .status(1) && run.errors.contains("the broker's user may not use"), "\(run.errors)")
                #expect(try await world.bank.requests().isEmpty)
                // Nothing that was tried has been given to anybody.
                #expect(try await world.waiting(in: names.deadLetters) == 0)
                try await world.startProcessor()
                #expect(try await world.upstream.finalReply(to: command).result == "succeeded")
                #expect(try await world.bank.requests().count == 1)
            }
        }
    }
}

extension RestartLane {
    @Suite("What AMQP does not tell", .timeLimit(.minutes(10)))
    struct PolicyTests {
        @Test("a policy that removes what waits, and a lost binding, are named at start and while running")
        func named() async throws {
            try await PrivateServices.run { services in
                let url = try #require(services.managementURL)
                let admin = try BrokerAdmin(url)
                let changes = ["AMQP_MANAGEMENT_URL": url, "AMQP_DECLARE": "false"]
                try await World.run(World.Settings(servers: services.servers, processor: changes)) { world in
                    #expect(try await world.command(["topology"]).exit == .status(0))
                    let names = world.names
                    try await world.unbind(names.commandsQueue(0), from: names.commandsExchange, key: "1")
                    let refused = try await world.command(["run"])
                    #expect(refused.exit == .status(1))
                    #expect(refused.errors.contains("binding of \(names.commandsQueue(0))"), "\(refused.errors)")
                    #expect(try await world.command(["topology"]).exit == .status(0))

                    try await admin.setPolicy("ours", on: "^\(names.commandsQueue(1))$", #"{"message-ttl":3600000}"#)
                    let processor = try await world.startProcessor()
                    let problem = "the policy of queue \(names.commandsQueue(1)) removes what waits: message-ttl"
                    try await processor.logged(problem)
                    try await processor.reportsProblem(problem)
                    try await processor.answersReady(200)
                    try await world.unbind(names.retryQueue(.hour1), from: names.retryExchange, key: "1h")
                    try await processor.reportsProblem(
                        "binding of \(names.retryQueue(.hour1)) to \(names.retryExchange) is missing"
                    )
                    _ = try await world.authorized()

                    try await admin.removePolicy("ours")
                    #expect(try await world.command(["topology"]).exit == .status(0))
                    try await processor.reportsNoProblem()
                }
                await admin.shutdown()
            }
        }
    }
}
