import Testing

@testable import AMQP

@Suite("An AMQP configuration", .timeLimit(.minutes(1)))
struct ConfigurationTests {
    struct Parsed: Sendable {
        let url: String
        let expected: AMQPConfiguration
    }

    @Test(
        "is read from a URL",
        arguments: [
            Parsed(url: "amqp://localhost", expected: AMQPConfiguration(host: "localhost")),
            Parsed(url: "AMQP://localhost/", expected: AMQPConfiguration(host: "localhost")),
            Parsed(
                url: "amqp://u%40x:p%2F%3a%25@broker.example:5673/%2f",
                expected: AMQPConfiguration(host: "broker.example", port: 5673, user: "u@x", password: "p/:%")
            ),
            Parsed(
                url: "amqp://a:b@h/pay%20ments",
                expected: AMQPConfiguration(host: "h", user: "a", password: "b", virtualHost: "pay ments")
            ),
            Parsed(url: "amqp://a:@h", expected: AMQPConfiguration(host: "h", user: "a", password: "")),
            Parsed(url: "amqp://a:b:c@h", expected: AMQPConfiguration(host: "h", user: "a", password: "b:c")),
            Parsed(
                url: "amqps://h/v",
                expected: AMQPConfiguration(host: "h", port: 5671, virtualHost: "v", usesTLS: true)
            ),
            Parsed(url: "amqp://[::1]:5000/v", expected: AMQPConfiguration(host: "::1", port: 5000, virtualHost: "v")),
            Parsed(url: "amqp://[fe80::1]", expected: AMQPConfiguration(host: "fe80::1")),
        ]
    )
    func parses(_ example: Parsed) throws {
        #expect(try AMQPConfiguration(url: example.url) == example.expected)
    }

    @Test("may have several nodes, and how long to wait for them")
    func nodes() throws {
        let configuration = try AMQPConfiguration(
            url: "amqp://u:p@h1:5673,h2,[::1]:5674/%2f?heartbeat=30&connection_timeout=1500"
        )
        #expect(configuration.place == "h1:5673,h2:5672,[::1]:5674")
        #expect(configuration.heartbeat == .seconds(30))
        #expect(configuration.connectTimeout == .milliseconds(1_500))
        #expect(configuration.virtualHost == "/" && configuration.user == "u" && configuration.password == "p")
        #expect(configuration.startingAfter(configuration.addresses[0]).place == "h2:5672,[::1]:5674,h1:5673")
        #expect(configuration.startingAfter(configuration.addresses[2]).place == configuration.place)
    }

    @Test(
        "names what is wrong with a URL and never its password",
        arguments: [
            ("localhost:5672", "amqp://"),
            ("http://u:s3cret@h", "scheme"),
            ("amqp://u:s3cret@", "host"),
            ("amqp://u:s3cret@h:0", "port"),
            ("amqp://u:s3cret@h:70000", "port"),
            ("amqp://u:s3cret@h:56x", "port"),
            ("amqp://u:s3cret@h:", "port"),
            ("amqp://u:s3cret%zz@h", "password"),
            ("amqp://u:s3cret%00@h", "password"),
            ("amqp://u:s3cret%ff@h", "password"),
            ("amqp://us3cret@h", "password"),
            ("amqp://:s3cret@h", "user"),
            ("amqp://u:s3cret@h/a/b", "virtual host"),
            ("amqp://u:s3cret@h/v?heartbeat=0", "heartbeat"),
            ("amqp://u:s3cret@h/v?heartbeat=soon", "heartbeat"),
            ("amqp://u:s3cret@h/v?connection_timeout=0", "connection_timeout"),
            ("amqp://u:s3cret@h/v?heartbeat=1&heartbeat=2", "once"),
            ("amqp://u:s3cret@h/v?heartbeat", "name=value"),
            ("amqp://u:s3cret@h/v?frame_max=1", "heartbeat and connection_timeout"),
            ("amqp://u:s3cret@h/v?", "name=value"),
            ("amqp://u:s3cret@h/v#f", "fragment"),
            ("amqp://u:s3cret@h1,/v", "host"),
            ("amqp://u:s3cret@h1:1,h2:x/v", "port"),
            ("amqp://u:s3cret@[::1/v", "IPv6"),
            ("amqp://u:s3cret@h/\(String(repeating: "v", count: 256))", "virtual host"),
        ]
    )
    func refuses(url: String, part: String) {
        let error = #expect(throws: AMQPError.self) { try AMQPConfiguration(url: url) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.problem?.contains(part) == true)
        #expect(error?.description.contains("s3cret") == false)
    }

    @Test("shows its address and never its password")
    func redacts() throws {
        let configuration = try AMQPConfiguration(url: "amqp://user:s3cret@host:1234/v")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in [configuration.description, configuration.debugDescription, "\(configuration)", dumped] {
            #expect(!text.contains("s3cret"))
            #expect(text.contains("host:1234"))
        }
        #expect(!String(reflecting: configuration).contains("s3cret"))
        #expect(!Mirror(reflecting: configuration).children.contains { "\($0.value)".contains("s3cret") })
    }
}
