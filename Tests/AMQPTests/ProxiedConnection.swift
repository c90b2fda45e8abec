import AMQP
import TestSupport

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
