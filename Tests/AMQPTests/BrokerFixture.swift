import AMQP
import Glibc
import Synchronization
import TestSupport
import Testing

/// The broker under test, and names on it that are this test's own and are deleted when it ends.
final class BrokerFixture: Sendable {
    let configuration: AMQPConfiguration
    let connection: AMQPConnection
    private let prefix = "amqp-tests-\(UInt64.random(in: 0 ... .max))"
    private let names = Mutex<Set<String>>([])

    private init(configuration: AMQPConfiguration, connection: AMQPConnection) {
        self.configuration = configuration
        self.connection = connection
    }

    /// The broker's address, from `AMQP_URL`.
    static func configuration() throws -> AMQPConfiguration {
        let url = try #require(getenv("AMQP_URL"), "AMQP_URL must name the broker to test against")
        return try AMQPConfiguration(url: String(cString: url))
    }

    static func run(_ body: (BrokerFixture) async throws -> Void) async throws {
        let configuration = try configuration()
        let connection = try await AMQPConnection.connect(configuration)
        let fixture = BrokerFixture(configuration: configuration, connection: connection)
        do {
            try await body(fixture)
        } catch {
            try await fixture.cleanUp()
            throw error
        }
        try await fixture.cleanUp()
    }

    /// A name for a queue or an exchange. Asked for again, the same.
    func name(_ suffix: String) -> String {
        let name = "\(prefix).\(suffix)"
        _ = names.withLock { $0.insert(name) }
        return name
    }

    /// A new connection, besides the fixture's own.
    func connect() async throws -> AMQPConnection {
        try await AMQPConnection.connect(configuration)
    }

    /// Declares a queue, by default a classic one that survives its connection.
    func queue(_ suffix: String, _ arguments: AMQPTable = [:]) async throws -> String {
        let name = name(suffix)
        try await connection.declareQueue(name, arguments: arguments)
        return name
    }

    /// Publishes to a queue through the default exchange, and expects the confirm.
    func publish(_ bodies: [String], to queue: String) async throws {
        for body in bodies {
            let outcome = try await connection.publish(.text(body), exchange: "", routingKey: queue)
            #expect(outcome == .confirmed)
        }
    }

    private func cleanUp() async throws {
        await connection.close()
        let cleaner = try await connect()
        for name in names.withLock({ $0 }) {
            try await cleaner.deleteQueue(name)
            try await cleaner.deleteExchange(name)
        }
        await cleaner.close()
    }
}

extension AMQPMessage {
    static func text(_ body: String, id: String? = nil) -> AMQPMessage {
        AMQPMessage(properties: AMQPProperties(deliveryMode: .persistent, messageID: id), body: Array(body.utf8))
    }

    var text: String { String(decoding: body, as: UTF8.self) }
}

extension AMQPConsumer {
    /// The next deliveries, as many as asked for.
    func take(_ count: Int) async throws -> [AMQPDelivery] {
        var deliveries: [AMQPDelivery] = []
        var iterator = makeAsyncIterator()
        while deliveries.count < count, let delivery = try await iterator.next() { deliveries.append(delivery) }
        return deliveries
    }
}

/// A connection whose network can be made bad.
struct ProxiedConnection {
    let proxy: TCPProxy
    let connection: AMQPConnection

    init(
        _ configuration: AMQPConfiguration,
        heartbeat: Duration = .seconds(10),
        onEvent: @escaping @Sendable (AMQPConnectionEvent) -> Void = { _ in }
    ) async throws {
        proxy = try TCPProxy(toPort: configuration.port)
        connection = try await AMQPConnection.connect(
            configuration.through(proxy, heartbeat: heartbeat),
            onEvent: onEvent
        )
    }

    func close() async {
        await connection.close()
        proxy.stop()
    }
}

extension AMQPConfiguration {
    func through(_ proxy: TCPProxy, heartbeat: Duration = .seconds(10)) -> AMQPConfiguration {
        var configuration = self
        configuration.host = "127.0.0.1"
        configuration.port = proxy.port
        configuration.heartbeat = heartbeat
        return configuration
    }
}

extension [UInt8] {
    /// A method frame on channel 0, as the broker would send it.
    static func method(_ classID: UInt16, _ methodID: UInt16, _ arguments: [UInt8]) -> [UInt8] {
        let payload = classID.bytes + methodID.bytes + arguments
        return [1, 0, 0, 0, 0] + UInt16(payload.count).bytes + payload + [0xce]
    }
}

extension UInt16 {
    var bytes: [UInt8] { [UInt8(self >> 8), UInt8(truncatingIfNeeded: self)] }
}
