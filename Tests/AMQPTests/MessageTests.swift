import CRabbitMQ
import Testing

@testable import AMQP

@Suite("A message on its way through the broker", .timeLimit(.minutes(2)))
struct MessageTests {
    private static let headers: AMQPTable = [
        "true": true,
        "false": false,
        "small": -1,
        "large": .int(.max),
        "least": .int(.min),
        "double": .double(-0.5),
        "text": "Grüße 🐇",
        "empty": "",
        "bytes": .bytes([0, 0xff, 0xfe]),
        "timestamp": .timestamp(1_700_000_000),
        "decimal": .decimal(scale: 2, value: 12_345),
        "void": .void,
        "array": .array([1, "two", .array([true, .void]), .table(["three": 3])]),
        "table": .table(["nested": .table(["deep": .double(1.5)]), "list": .array([])]),
    ]

    @Test("keeps its body, every property and every kind of header", arguments: ["classic", "quorum"])
    func roundTrip(kind: String) async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q", ["x-queue-type": .string(kind)])
            let sent = AMQPMessage(
                properties: AMQPProperties(
                    contentType: "application/json",
                    contentEncoding: "identity",
                    headers: Self.headers,
                    deliveryMode: .persistent,
                    priority: 3,
                    correlationID: "correlation",
                    replyTo: "replies.x",
                    expiration: "600000",
                    messageID: "id",
                    timestamp: 1_700_000_001,
                    type: "payment.authorize.v1",
                    userID: broker.configuration.user,
                    appID: "tests"
                ),
                body: Array(0...255)
            )
            let outcome = try await broker.connection.publish(sent, exchange: "", routingKey: queue)
            #expect(outcome == .confirmed)
            let consumer = try await broker.connection.consume(queue: queue, prefetch: 1)
            let delivery = try #require(await consumer.take(1).first)
            #expect(delivery.message == sent)
            #expect(delivery.exchange.isEmpty)
            #expect(delivery.routingKey == queue)
            #expect(!delivery.redelivered)
        }
    }

    @Test("may have nothing but itself")
    func empty() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q")
            let outcome = try await broker.connection.publish(AMQPMessage(), exchange: "", routingKey: queue)
            #expect(outcome == .confirmed)
            let consumer = try await broker.connection.consume(queue: queue, prefetch: 1)
            #expect(try await consumer.take(1).first?.message == AMQPMessage())
        }
    }

    @Test("may be larger than a frame and than the socket's buffer", arguments: [131_064, 1 << 20, 8 << 20])
    func large(size: Int) async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q")
            let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let message = AMQPMessage(body: body)
            let outcome = try await broker.connection.publish(message, exchange: "", routingKey: queue)
            #expect(outcome == .confirmed)
            let consumer = try await broker.connection.consume(queue: queue, prefetch: 1)
            #expect(try await consumer.take(1).first?.message.body == body)
        }
    }

    @Test("may come with any kind of field that librabbitmq knows")
    func everyKind() throws {
        let fields: [(String, [UInt8], AMQPValue)] = [
            ("t", [1], true),
            ("b", [0xff], -1),
            ("B", [0xff], 255),
            ("s", [0xff, 0xfe], -2),
            ("u", [0xff, 0xfe], 65_534),
            ("I", [0xff, 0xff, 0xff, 0xfd], -3),
            ("i", [0xff, 0xff, 0xff, 0xfd], 4_294_967_293),
            ("l", [UInt8](repeating: 0xff, count: 8), -1),
            ("L", [UInt8](repeating: 0xff, count: 8), .unsigned(.max)),
            ("f", [0x3f, 0x80, 0, 0], .double(1)),
            ("d", [0x3f, 0xf0, 0, 0, 0, 0, 0, 0], .double(1)),
            ("D", [2, 0, 0, 0, 7], .decimal(scale: 2, value: 7)),
            ("T", [0, 0, 0, 0, 0, 0, 0, 9], .timestamp(9)),
            ("S", [0, 0, 0, 2, 0x68, 0x69], "hi"),
            ("S", [0, 0, 0, 2, 0xc3, 0x28], .bytes([0xc3, 0x28])),
            ("x", [0, 0, 0, 2, 0x68, 0x69], .bytes([0x68, 0x69])),
            ("V", [], .void),
            ("A", [0, 0, 0, 2, 0x74, 0], .array([false])),
            ("F", [0, 0, 0, 4, 1, 0x6b, 0x74, 0], .table(["k": false])),
        ]
        let encoded = fields.enumerated().flatMap { index, field -> [UInt8] in
            [1, UInt8(ascii: "a") + UInt8(index)] + Array(field.0.utf8) + field.1
        }
        let table = try Self.decode(encoded)
        #expect(table.map(\.value) == fields.map(\.2))
        // And back.
        var arena = Arena()
        let again = try Self.encode(arena.table(table))
        #expect(try Self.decode(again) == table)
        #expect(table.encodedSize() == again.count + 4)
    }

    @Test("has headers nested too deep cut off, not followed")
    func deep() throws {
        // 100 arrays, each in the one before.
        let nested = (0..<100).reduce([UInt8(ascii: "V")]) { inner, _ in
            [UInt8(ascii: "A")] + Self.length(inner.count) + inner
        }
        var value = try #require(Self.decode([1, UInt8(ascii: "k")] + nested)["k"])
        var depth = 0
        while case .array(let inner) = value {
            depth += 1
            value = try #require(inner.first)
        }
        #expect(value == .void)
        #expect(depth == AMQPTable.maximumDepth - 1)
    }

    private static func length(_ count: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) }
    }

    private static func decode(_ entries: [UInt8]) throws -> AMQPTable {
        var bytes = length(entries.count) + entries
        var pool = amqp_pool_t()
        init_amqp_pool(&pool, 4_096)
        defer { empty_amqp_pool(&pool) }
        var table = amqp_table_t()
        var offset = 0
        return try bytes.withUnsafeMutableBytes { buffer in
            let raw = amqp_bytes_t(len: buffer.count, bytes: buffer.baseAddress)
            try #require(amqp_decode_table(raw, &pool, &table, &offset) == 0)
            return AMQPTable(table)
        }
    }

    private static func encode(_ table: amqp_table_t) throws -> [UInt8] {
        var table = table
        var bytes = [UInt8](repeating: 0, count: 4_096)
        var offset = 0
        try bytes.withUnsafeMutableBytes { buffer in
            let raw = amqp_bytes_t(len: buffer.count, bytes: buffer.baseAddress)
            try #require(amqp_encode_table(raw, &table, &offset) == 0)
        }
        return Array(bytes[4..<offset])
    }
}

@Suite("A table", .timeLimit(.minutes(1)))
struct TableTests {
    @Test("is changed by name and compared without regard to order")
    func changes() {
        var table: AMQPTable = ["a": 1, "b": "x"]
        #expect(table == ["b": "x", "a": 1])
        table["a"] = 2
        table["c"] = true
        table["b"] = nil
        table["missing"] = nil
        #expect(table == ["a": 2, "c": true])
        #expect(table.map(\.key) == ["a", "c"])
        #expect(table != ["a": 2, "d": true])
        #expect(table["a"]?.intValue == 2)
        #expect(table["c"]?.boolValue == true)
        #expect(table["b"] == nil)
    }
}
