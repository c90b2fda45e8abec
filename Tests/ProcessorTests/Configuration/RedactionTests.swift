import Testing

@testable import Processor

@Suite("Passwords in addresses", .timeLimit(.minutes(1)))
struct RedactionTests {
    @Test(
        "the broker's URL keeps all but its password",
        arguments: [
            ("amqp://guest:guest@127.0.0.1:5672/%2f", "amqp://guest:***@127.0.0.1:5672/%2f"),
            ("amqps://u:p@ss@host/v", "amqps://u:***@host/v"),
            ("amqp://u:a:b@host", "amqp://u:***@host"),
            ("amqp://host:5672/v", "amqp://host:5672/v"),
            ("amqp://host/v@:x", "amqp://host/v@:x"),
            ("nonsense", "***"),
        ]
    )
    func broker(text: String, expected: String) {
        #expect(Redaction.brokerURL(text) == expected)
    }

    @Test(
        "a libpq connection string keeps all but its passwords, in both forms",
        arguments: [
            ("postgresql://postgres@127.0.0.1:5432/payments", "postgresql://postgres@127.0.0.1:5432/payments"),
            ("postgres://u:pw@a:1,b:2/d", "postgres://u:***@a:1,b:2/d"),
            ("postgresql://u:p@ss@host/d", "postgresql://u:***@host/d"),
            ("postgresql://h/d?password=pw&sslmode=require", "postgresql://h/d?password=***&sslmode=require"),
            ("postgresql://h/d?sslpassword=pw", "postgresql://h/d?sslpassword=***"),
            ("postgresql://h/d?pass%77ord=pw", "postgresql://h/d?pass%77ord=***"),
            ("postgresql://u:pw@/d?host=/tmp", "postgresql://u:***@/d?host=/tmp"),
            ("host=h password=pw dbname=d", "host=h password=*** dbname=d"),
            ("host = h password = 'p w' dbname = d", "host=h password=*** dbname=d"),
            ("password='p\\'w x' host=h", "password=*** host=h"),
            ("password=p\\ w host=h", "password=*** host=h"),
            ("PASSWORD=pw host='a b'", "PASSWORD=*** host='a b'"),
            ("password='open", "***"),
            ("just words", "***"),
        ]
    )
    func conninfo(text: String, expected: String) {
        #expect(Redaction.conninfo(text) == expected)
    }
}
