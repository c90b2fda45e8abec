import ConfigurationText
import Logging
import Testing

@testable import Processor

@Suite("How the texts of settings are read", .timeLimit(.minutes(1)))
struct ValueFormTests {
    @Test(
        "a duration out of its range is refused",
        arguments: [("1s", true), ("5s", true), ("999ms", false), ("6s", false)]
    )
    func ranges(text: String, isAllowed: Bool) {
        let form = ValueForm.duration(.seconds(1) ... .seconds(5))
        #expect(((try? form.parse(text)) != nil) == isAllowed)
    }

    @Test(
        "booleans are true and false and nothing else",
        arguments: [
            ("true", true), ("false", false), ("TRUE", nil), ("yes", nil), ("1", nil), ("0", nil), ("", nil),
            (" true", nil),
        ] as [(String, Bool?)]
    )
    func booleans(text: String, expected: Bool?) {
        #expect((try? ValueForm.boolean.parse(text)) == expected)
    }

    @Test(
        "integers are digits within their range",
        arguments: [
            ("1", 1), ("256", 256), ("0008", 8), ("0", nil), ("257", nil), ("-1", nil), ("+1", nil), ("1.0", nil),
            ("1e2", nil),
            ("", nil), ("0x10", nil), ("1_0", nil), ("٣", nil), ("99999999999999999999", nil),
        ] as [(String, Int?)]
    )
    func integers(text: String, expected: Int?) {
        #expect((try? ValueForm.integer(1...256).parse(text)) == expected)
    }

    @Test(
        "log levels are those of swift-log, in lower case",
        arguments: [("debug", Logger.Level.debug), ("critical", .critical), ("Info", nil), ("warn", nil)]
            as [(String, Logger.Level?)]
    )
    func logLevels(text: String, expected: Logger.Level?) {
        #expect((try? ValueForm.logLevel.parse(text)) == expected)
    }

    @Test(
        "the bank's address is plain http or https without anything secret in it",
        arguments: [
            ("http://127.0.0.1:8787", "http://127.0.0.1:8787"), ("https://bank.example/", "https://bank.example"),
            ("http://[::1]:80/a/b//", "http://[::1]:80/a/b"), ("HTTP://bank", "HTTP://bank"), ("bank:80", nil),
            ("ftp://bank", nil), ("http://", nil), ("http://u:p@bank", nil), ("http://bank?x=1", nil),
            ("http://bank#x", nil),
            ("http://bank:", nil), ("http://bank:0", nil), ("http://bank:65536", nil), ("http://bank:+80", nil),
            ("http://[::1", nil), ("http://[::1]x", nil), ("http://ba nk", nil), ("http://:80", nil),
        ] as [(String, String?)]
    )
    func bankAddresses(text: String, expected: String?) {
        #expect((try? BankAddress(text))?.base == expected)
    }

    @Test(
        "prefixes stay clear of the broker's own names",
        arguments: [
            ("payments", true), ("a.b_c-9", true), ("amq", false), ("amq.x", false), ("amqx", true), ("a b", false),
        ]
    )
    func prefixes(text: String, isAllowed: Bool) {
        #expect(((try? ValueForm.namePrefix.parse(text)) != nil) == isAllowed)
    }

    @Test(
        "a secret is visible ASCII of a sensible length",
        arguments: [
            ("0123456789abcdef", true), ("0123456789abcde", false), ("0123456789 abcdef", false),
            ("0123456789abcdéf", false),
            (String(repeating: "x", count: 1_024), true), (String(repeating: "x", count: 1_025), false),
        ]
    )
    func secrets(text: String, isAllowed: Bool) {
        #expect(((try? Settings.fingerprintSecret.form.parse(text)) != nil) == isAllowed)
    }

    @Test(
        "loopback is distinguished from the rest",
        arguments: [
            ("localhost", true), ("LOCALHOST", true), ("127.0.0.1", true), ("127.8.8.8", true), ("::1", true),
            ("::ffff:127.0.0.1", true), ("0.0.0.0", false), ("::", false), ("10.0.0.1", false), ("128.0.0.1", false),
            ("::ffff:10.0.0.1", false), ("localhost.example.com", false), ("127.0.0.1.example.com", false), ("", false),
        ]
    )
    func loopback(host: String, expected: Bool) {
        #expect(LoopbackHost.matches(host) == expected)
    }

    @Test("every default is a value that its own form allows")
    func defaults() throws {
        let inputs = ConfigurationInputs(
            commandLine: Settings.all.reduce(into: [:]) { $0[$1.name] = $1.defaultText }
        )
        #expect(try ProcessorConfiguration(inputs).effective.count == Settings.all.count)
    }
}
