import AMQP
import TestSupport
import Testing
import ThreadExecutor

@Suite("A connection", .timeLimit(.minutes(2)))
struct ConnectionTests {
    private func refusal(_ change: (inout AMQPConfiguration) throws -> Void) async throws -> AMQPError {
        var configuration = try BrokerFixture.configuration()
        try change(&configuration)
        let unusable = configuration
        return try #require(
            await #expect(throws: AMQPError.self) { _ = try await AMQPConnection.connect(unusable) }
        )
    }

    @Test("tells a wrong password, and shows none")
    func wrongPassword() async throws {
        let error = try await refusal { $0.password = "s3cret-and-wrong" }
        #expect(error.code == .authenticationFailed)
        #expect(!"\(error) \(error.brokerText ?? "")".contains("s3cret"))
    }

    @Test("tells a virtual host that is not there")
    func wrongVirtualHost() async throws {
        let error = try await refusal { $0.virtualHost = "no-such-host" }
        #expect(error.code == .vhostRefused)
        #expect(!error.isRetriable)
    }

    @Test("tells a port where nobody listens")
    func nobodyListens() async throws {
        let error = try await refusal {
            $0.host = "127.0.0.1"
            $0.port = try ListeningSocket.unusedPort()
        }
        #expect(error.code == .connectFailed)
        #expect(error.isRetriable)
        #expect(error.description.contains("connection refused by 127.0.0.1:"))
    }

    @Test("shares a loop with others: while one opens, and when one ends, the others go on")
    func sharedLoop() async throws {
        try await BrokerFixture.run { broker in
            let loop = try EventLoop(name: "shared")
            let queue = try await broker.queue("shared")
            let first = try await AMQPConnection.connect(broker.configuration, on: loop)
            let second = try await AMQPConnection.connect(broker.configuration, on: loop)
            let consumer = try await second.consume(queue: queue, prefetch: 10)
            async let third = AMQPConnection.connect(broker.configuration, on: loop)
            for number in 0..<100 {
                _ = try await first.publish(.text("\(number)"), exchange: "", routingKey: queue)
            }
            await (try third).close()
            await first.close()
            var bodies: [String] = []
            for try await delivery in consumer {
                bodies.append(delivery.message.text)
                try delivery.acknowledge()
                if bodies.count == 100 { break }
            }
            #expect(bodies == (0..<100).map(String.init))
            await second.close()
        }
    }

    @Test("goes to the node that is there, and says of each that is not what is wrong")
    func nodes() async throws {
        var configuration = try BrokerFixture.configuration()
        let there = configuration.addresses[0]
        let gone = AMQPAddress(host: "127.0.0.1", port: try ListeningSocket.unusedPort())
        let unknown = AMQPAddress(host: "no-such-host.invalid", port: 5672)
        configuration.addresses = [gone, unknown, there]
        let connection = try await AMQPConnection.connect(configuration)
        #expect(connection.address == there)
        await connection.close()
        let error = try await refusal { $0.addresses = [gone, unknown] }
        #expect(error.code == .connectFailed)
        #expect(error.description.contains("connection refused by \(gone)"))
        #expect(error.description.contains("the name of \(unknown) cannot be resolved"))
    }

    @Test("does not wait for a node that takes connections and never answers, where there is another")
    func silentNode() async throws {
        let silent = try ListeningSocket(port: 0)
        var configuration = try BrokerFixture.configuration()
        let there = configuration.addresses[0]
        configuration.addresses = [AMQPAddress(host: "127.0.0.1", port: silent.port), there]
        configuration.connectTimeout = .seconds(3_600)
        let connection = try await AMQPConnection.connect(configuration)
        #expect(connection.address == there)
        await connection.close()
    }

    @Test("tells a name that does not resolve")
    func unknownName() async throws {
        #expect(try await refusal { $0.host = "no-such-host.invalid" }.code == .connectFailed)
    }

    @Test("tells a broker that accepts and never answers")
    func silentBroker() async throws {
        let silent = try ListeningSocket(port: 0)
        let error = try await refusal {
            $0.host = "127.0.0.1"
            $0.port = silent.port
            $0.connectTimeout = .milliseconds(100)
        }
        #expect(error.code == .connectFailed)
    }

    @Test("tells a port that does not speak TLS")
    func noTLS() async throws {
        #expect(try await refusal { $0.usesTLS = true }.code == .tlsFailed)
    }

    @Test("tells a CA file that is not there, and a certificate without a key")
    func badFiles() async throws {
        #expect(
            try await refusal {
                $0.usesTLS = true
                $0.caFile = "/nonexistent/ca.pem"
            }.code == .tlsFailed
        )
        #expect(
            try await refusal {
                $0.usesTLS = true
                $0.certFile = "/nonexistent/cert.pem"
            }.code == .invalidConfiguration
        )
    }

    @Test("lives through idle times longer than its heartbeat")
    func idle() async throws {
        var configuration = try BrokerFixture.configuration()
        configuration.heartbeat = .seconds(1)
        let connection = try await AMQPConnection.connect(configuration)
        let ending = Task { await connection.untilClosed() }
        // The one wait that is meant: the broker cuts a silent client after about three intervals.
        try await Task.sleep(for: .seconds(5))
        #expect(connection.isUsable)
        _ = try await connection.declareQueue("", durable: false, exclusive: true)
        await connection.close()
        #expect(await ending.value.code == .closed)
    }

    @Test("notices a broker that has fallen silent by its heartbeat")
    func silence() async throws {
        let proxied = try await ProxiedConnection(BrokerFixture.configuration(), heartbeat: .seconds(1))
        proxied.proxy.setStalled(.toClient, true)
        #expect(await proxied.connection.untilClosed().code == .heartbeatMissed)
        proxied.proxy.stop()
    }

    @Test("ends with the broker's code when the broker closes it")
    func closedByBroker() async throws {
        let proxied = try await ProxiedConnection(BrokerFixture.configuration())
        proxied.proxy.injectToClients(.method(10, 50, UInt16(320).bytes + [3] + Array("bye".utf8) + [0, 0, 0, 0]))
        let error = await proxied.connection.untilClosed()
        #expect(error.code == .connectionClosedByBroker(replyCode: 320))
        #expect(error.brokerText == "bye")
        #expect(error.isRetriable)
        proxied.proxy.stop()
    }

    @Test(
        "ends when the broker sends what makes no sense",
        arguments: [
            .method(10, 41, [0]), .method(99, 99, []),
            [1, 0, 2, 0, 0, 0, 13, 0, 60, 0, 80, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0xce],
            [1, 0, 7, 0, 0, 0, 4, 0, 20, 0, 11, 0xce],
            [3, 0, 3, 0, 0, 0, 1, 65, 0xce],
            [9, 9, 9, 9, 9, 9, 9, 9, 9, 9],
        ] as [[UInt8]]
    )
    func nonsense(bytes: [UInt8]) async throws {
        let proxied = try await ProxiedConnection(BrokerFixture.configuration())
        proxied.proxy.injectToClients(bytes)
        #expect(await proxied.connection.untilClosed().code == .protocolViolation)
        proxied.proxy.stop()
    }

    @Test("fails every later call with the error that ended it")
    func callsAfterEnd() async throws {
        let proxied = try await ProxiedConnection(BrokerFixture.configuration())
        proxied.proxy.cutConnections()
        #expect(await proxied.connection.untilClosed().code == .connectionLost)
        let declaring = await #expect(throws: AMQPError.self) { try await proxied.connection.declareQueue("x") }
        #expect(declaring?.code == .connectionLost)
        let consuming = await #expect(throws: AMQPError.self) {
            try await proxied.connection.consume(queue: "x", prefetch: 1)
        }
        #expect(consuming?.code == .connectionLost)
        await proxied.connection.close()
    }

    @Test("fails the calls under way when it is lost")
    func callsUnderWay() async throws {
        let proxied = try await ProxiedConnection(BrokerFixture.configuration())
        let connection = proxied.connection
        proxied.proxy.setStalled(.toClient, true)
        let calls = (0..<5).map { number in
            Task { try await connection.checkQueue("no-such-queue-\(number)") }
        }
        // A job of the same executor, behind the calls: they are under way when it has run.
        for _ in 0..<100 { _ = await connection.isBlocked }
        proxied.proxy.cutConnections()
        for call in calls {
            let error = await #expect(throws: AMQPError.self) { try await call.value }
            #expect(error?.code == .connectionLost)
        }
    }

    @Test("closes in good order: what was published before is confirmed, what is acknowledged is told")
    func closesInGoodOrder() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q")
            let done = try await broker.queue("done")
            try await broker.publish(["a"], to: done)
            let connection = try await broker.connect()
            let delivery = try await connection.consume(queue: done, prefetch: 1).take(1).first
            let publishes = (0..<200).map { number in
                Task { try await connection.publish(.text("\(number)"), exchange: "", routingKey: queue) }
            }
            try await eventually("the first has arrived") { try await broker.connection.messageCount(of: queue) > 0 }
            try delivery?.acknowledge()
            await connection.close()
            var confirmed = 0
            for publish in publishes {
                do {
                    #expect(try await publish.value == .confirmed)
                    confirmed += 1
                } catch {
                    #expect(error as? AMQPError == AMQPError(.closed))
                }
            }
            #expect(try await broker.connection.messageCount(of: queue) == confirmed)
            #expect(try await broker.connection.messageCount(of: done) == 0)
            await connection.close()
        }
    }

    @Test("that nobody holds any more is closed")
    func dropped() async throws {
        try await BrokerFixture.run { broker in
            var connection: AMQPConnection? = try await broker.connect()
            let status = try await connection?.declareQueue("", durable: false, exclusive: true)
            let queue = try #require(status?.name)
            connection = nil
            try await eventually("its exclusive queue is gone") {
                do {
                    _ = try await broker.connection.checkQueue(queue)
                } catch let error as AMQPError {
                    // 405 while its owner lives.
                    return error.code == .channelClosed(replyCode: 404)
                }
                return false
            }
        }
    }
}
