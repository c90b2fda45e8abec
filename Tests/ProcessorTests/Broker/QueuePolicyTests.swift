import Core
import Testing

@testable import Processor

@Suite("Policies on our queues")
struct QueuePolicyTests {
    private static let topology = Topology(names: BrokerNames(), partitions: 1)

    @Test(
        "what removes, expires or drops what waits is named",
        arguments: [
            ("payments.commands.0", #"{"expires":1000}"#, ["expires"]),
            ("payments.retry.5s", #"{"expires":1000,"message-ttl":5}"#, ["expires"]),
            ("payments.commands.0", #"{"message-ttl":1000}"#, ["message-ttl"]),
            ("payments.replies", #"{"message-ttl":1000}"#, ["message-ttl"]),
            ("payments.dead-letters", #"{"max-length":3}"#, ["max-length"]),
            (
                "payments.dead-letters", #"{"max-length":3,"max-length-bytes":9,"overflow":"drop-head"}"#,
                ["max-length", "max-length-bytes"]
            ),
            // The queue's own overflow wins.
            ("payments.commands.0", #"{"max-length":3,"overflow":"drop-head"}"#, []),
            ("payments.unrouted", #"{"max-length":3,"overflow":"reject-publish"}"#, []),
            ("payments.sweeps", #"{"message-ttl":1000}"#, []),
            ("payments.commands.0", #"{"delivery-limit":5,"queue-leader-locator":"balanced"}"#, []),
            ("payments.commands.0", "{}", []),
        ] as [(String, String, [String])]
    )
    func harm(queue: String, policy: String, expected: [String]) throws {
        let queue = try #require(Self.topology.queues.first { $0.name == queue })
        let definition = try JSONParser.parse(Array(policy.utf8))
        #expect(QueuePolicy.harm(of: definition, arguments: queue.arguments) == expected)
    }

    @Test(
        "credentials are encoded as HTTP wants them",
        arguments: [
            ("guest:guest", "Z3Vlc3Q6Z3Vlc3Q="), ("Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ("a:b", "YTpi"), ("", ""),
        ]
    )
    func base64(text: String, expected: String) {
        #expect(Base64.encoded(Array(text.utf8)) == expected)
    }
}
