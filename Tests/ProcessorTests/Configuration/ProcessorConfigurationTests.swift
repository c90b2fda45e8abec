import AMQP
import ConfigurationReading
import ConfigurationText
import Core
import Glibc
import Logging
import TestSupport
import Testing

@testable import Processor

@Suite("The configuration as a whole", .timeLimit(.minutes(1)))
struct ProcessorConfigurationTests {
    private func problems(_ inputs: ConfigurationInputs) -> [String] {
        do throws(ConfigurationError) {
            _ = try ProcessorConfiguration(inputs)
            return []
        } catch {
            return error.problems
        }
    }

    @Test("without any input what is made of several keys has its default")
    func defaults() throws {
        let configuration = try ProcessorConfiguration(ConfigurationInputs())
        #expect(configuration.broker.host == "127.0.0.1" && configuration.broker.port == 5_672)
        #expect(configuration.broker.user == "guest" && configuration.broker.virtualHost == "/")
        #expect(configuration.names.prefix == "payments" && configuration.prefetch == 64)
        #expect(configuration.bank.base == "http://127.0.0.1:8787")
        let limits = HandlerLimits(
            bankTimeout: .seconds(15),
            bankWorstCase: .seconds(17),
            lease: .seconds(37),
            busyAfter: .seconds(120)
        )
        #expect(configuration.limits == limits)
        #expect(configuration.admin == AdminConfiguration(host: "127.0.0.1", port: 9_090, token: nil))
        #expect(configuration.fingerprintSecret == ProcessorConfiguration.developmentSecret)
        #expect(
            configuration.warnings.map { $0.hasPrefix("fingerprint.secret (FINGERPRINT_SECRET): is not set") } == [true]
        )
    }

    @Test(
        "command line wins over environment over .env over default, and an empty value counts as none",
        arguments: [
            (nil, nil, nil, 64, .default),
            (nil, nil, "1", 1, .file),
            (nil, "2", "1", 2, .environment),
            ("3", "2", "1", 3, .commandLine),
            ("3", nil, nil, 3, .commandLine),
            ("", "2", "1", 2, .environment),
            (nil, "", "1", 1, .file),
            (nil, "", "", 64, .default),
            ("3", "nonsense", "1", 3, .commandLine),
        ] as [(String?, String?, String?, UInt16, SettingSource)]
    )
    func precedence(
        option: String?,
        variable: String?,
        line: String?,
        expected: UInt16,
        source: SettingSource
    ) throws {
        var inputs = ConfigurationInputs()
        inputs.commandLine["amqp.prefetch"] = option
        inputs.environment["AMQP_PREFETCH"] = variable
        inputs.file = DotEnvFile(line.map { "AMQP_PREFETCH=\($0)" } ?? "")
        let configuration = try ProcessorConfiguration(inputs)
        #expect(configuration.prefetch == expected)
        #expect(configuration.effective.first { $0.name == "amqp.prefetch" }?.source == source)
    }

    @Test("nested and hyphenated names have their variables")
    func names() throws {
        let inputs = ConfigurationInputs(
            environment: [
                "SWEEPS_RECONCILE_PERIOD": "1m", "BANK_WORST_CASE": "1s", "PAYMENT_BUSY_AFTER": "3s",
                "LOG_LEVEL": "debug",
                "SWEEPS_EXPIRE_VOID": "true",
            ]
        )
        let configuration = try ProcessorConfiguration(inputs)
        #expect(configuration.reconcilePeriod == .seconds(60) && configuration.voidsExpired)
        #expect(configuration.limits.bankWorstCase == .seconds(1) && configuration.limits.busyAfter == .seconds(3))
        #expect(configuration.limits.lease == .seconds(21))
        #expect(configuration.logLevel == .debug)
    }

    @Test("all problems are reported at once, each naming its key and what is allowed, and none a value")
    func allProblems() {
        let inputs = ConfigurationInputs(
            commandLine: ["amqp.url": "amqp://user:hunter2@", "bank.timeout": "15 sekunden"],
            environment: [
                "AMQP_PARTITIONS": "257", "AMQP_DECLARE": "maybe", "DATABASE_URL": "postgresql://u:hunter2@h:99999/d",
                "BANK_URL": "http://u:hunter2@bank", "ADMIN_TOKEN": "with space hunter2", "LOG_LEVEL": "loud",
                "FINGERPRINT_SECRET": "hunter2",
            ],
            file: DotEnvFile("SWEEPS_BATCH=none\nthis is hunter2\n")
        )
        let problems = problems(inputs)
        #expect(
            problems == [
                ".env line 2: is not KEY=value, KEY='value' or KEY=\"value\"",
                "amqp.url (AMQP_URL): the AMQP URL is unusable: its host is empty; "
                    + "allowed: amqp://user:password@host:port,host:port/vhost?heartbeat=30&connection_timeout=5000 "
                    + "or amqps://…, each part percent-encoded",
                "amqp.partitions (AMQP_PARTITIONS): is out of range; allowed: an integer from 1 to 256",
                "amqp.declare (AMQP_DECLARE): is not a boolean; allowed: true or false",
                "database.url (DATABASE_URL): cannot be read: connection string: port; "
                    + "allowed: a libpq connection string, as a URI postgresql://… or as keyword=value pairs",
                "bank.url (BANK_URL): has a user or a password; allowed: http://host:port or https://host:port, "
                    + "perhaps with a path, without user, query or fragment",
                "bank.timeout (BANK_TIMEOUT): is not a duration; "
                    + "allowed: a duration such as 250ms, 15s, 2m or 1h, from 10ms to 10m",
                "fingerprint.secret (FINGERPRINT_SECRET): is too short; "
                    + "allowed: 16 to 1024 visible ASCII characters, no spaces",
                "admin.token (ADMIN_TOKEN): has a character that is not allowed; "
                    + "allowed: 16 to 1024 visible ASCII characters, no spaces",
                "sweeps.batch (SWEEPS_BATCH): is not an integer; allowed: an integer from 1 to 10000",
                "log.level (LOG_LEVEL): is not a log level; "
                    + "allowed: one of trace, debug, info, notice, warning, error, critical",
            ]
        )
        #expect(!problems.joined().contains("hunter2"))
    }

    @Test(
        "the lease covers the bank's timeout and worst case",
        arguments: [("32s", true), ("31s", false), ("1h", true)]
    )
    func lease(text: String, isAllowed: Bool) {
        let problems = problems(ConfigurationInputs(environment: ["OPERATION_LEASE": text]))
        let expected =
            "operation.lease (OPERATION_LEASE): is too short; "
            + "allowed: at least bank.timeout + bank.worst-case, which is 32s"
        #expect(problems == (isAllowed ? [] : [expected]))
    }

    @Test(
        "a fingerprint secret is needed as soon as anything is not on loopback",
        arguments: [
            (["AMQP_URL": "amqp://guest:guest@rabbit"], "amqp.url"),
            (["AMQP_URL": "amqp://guest:guest@[::1]:5672/%2f"], nil),
            (["BANK_URL": "http://bank"], "bank.url"),
            (["BANK_URL": "http://localhost:1"], nil),
            (["DATABASE_URL": "postgresql://u@10.0.0.1/d"], "database.url"),
            (["DATABASE_URL": "postgresql://u@127.0.0.1,db2.example/d"], "database.url"),
            (["DATABASE_URL": "postgresql://u@127.0.0.1:1,localhost:2/d"], nil),
            (["DATABASE_URL": "host=127.0.0.1 dbname=d"], nil),
            (["DATABASE_URL": "host=/tmp dbname=d"], nil),
            (["DATABASE_URL": "host=localhost hostaddr=10.0.0.1 dbname=d"], "database.url"),
            (["DATABASE_URL": "host = db.example dbname=d"], "database.url"),
            (["AMQP_URL": "amqp://a:b@rabbit", "BANK_URL": "http://bank"], "amqp.url, bank.url"),
        ] as [([String: String], String?)]
    )
    func secretOffLoopback(environment: [String: String], places: String?) throws {
        let environment = environment.merging(["ALLOW_PLAINTEXT": "true"]) { $1 }
        let found = problems(ConfigurationInputs(environment: environment))
        let form = "16 to 1024 visible ASCII characters, no spaces"
        let expected = places.map {
            ["fingerprint.secret (FINGERPRINT_SECRET): is required, for not on loopback: \($0); allowed: \(form)"]
        }
        #expect(found == expected ?? [])

        let secret = environment.merging(["FINGERPRINT_SECRET": "correct-horse-battery"]) { $1 }
        let configuration = try ProcessorConfiguration(ConfigurationInputs(environment: secret))
        #expect(configuration.fingerprintSecret.value == "correct-horse-battery")
        #expect(!configuration.warnings.contains { $0.hasPrefix("fingerprint.") })
    }

    @Test("the development secret is refused where anything is not on loopback")
    func developmentSecret() {
        let found = problems(
            ConfigurationInputs(
                environment: [
                    "BANK_URL": "https://bank", "FINGERPRINT_SECRET": ProcessorConfiguration.developmentSecret.value,
                ]
            )
        )
        #expect(
            found == [
                "fingerprint.secret (FINGERPRINT_SECRET): is the development value, yet not on loopback: bank.url"
            ]
        )
    }

    @Test("certificate and key come together, and files must be there")
    func certificates() {
        let here = #filePath
        let url = "amqps://a:b@127.0.0.1"
        #expect(problems(ConfigurationInputs(environment: ["AMQP_URL": url, "AMQP_CA_FILE": here])) == [])
        #expect(
            problems(ConfigurationInputs(environment: ["AMQP_URL": url, "AMQP_CERT_FILE": here])) == [
                "amqp.key-file (AMQP_KEY_FILE): is needed beside amqp.cert-file (AMQP_CERT_FILE)"
            ]
        )
        #expect(
            problems(ConfigurationInputs(environment: ["AMQP_URL": url, "AMQP_KEY_FILE": here])) == [
                "amqp.cert-file (AMQP_CERT_FILE): is needed beside amqp.key-file (AMQP_KEY_FILE)"
            ]
        )
        #expect(
            problems(
                ConfigurationInputs(environment: [
                    "AMQP_URL": url, "AMQP_CERT_FILE": here, "AMQP_KEY_FILE": "\(here).none",
                ])
            ) == [
                "amqp.key-file (AMQP_KEY_FILE): names a file that does not exist; "
                    + "allowed: the path of a readable PEM file"
            ]
        )
    }

    @Test("TLS files reach the broker's configuration, and a plain URL makes them worth a warning")
    func tlsFiles() throws {
        let secret = ["FINGERPRINT_SECRET": "correct-horse-battery"]
        let directory = try ScratchDirectory()
        defer { directory.remove() }
        let key = directory.file("key.pem")
        try ScratchDirectory.write("key", to: key)
        chmod(key, 0o600)
        let files = secret.merging(["AMQP_CERT_FILE": #filePath, "AMQP_KEY_FILE": key]) { $1 }
        let tls = files.merging(["AMQP_URL": "amqps://a:b@127.0.0.1"]) { $1 }
        let configuration = try ProcessorConfiguration(ConfigurationInputs(environment: tls))
        #expect(configuration.broker.usesTLS)
        #expect(configuration.broker.certFile == #filePath && configuration.broker.keyFile == key)
        #expect(configuration.warnings.isEmpty)
        #expect(
            try ProcessorConfiguration(ConfigurationInputs(environment: files)).warnings == [
                "amqp.url (AMQP_URL): begins with amqp://, so the TLS files have no effect"
            ]
        )
    }

    @Test("an open admin address without a token, or without TLS, is worth a warning")
    func openAdmin() throws {
        var environment = ["FINGERPRINT_SECRET": "correct-horse-battery", "ADMIN_HOST": "0.0.0.0"]
        let open = try ProcessorConfiguration(ConfigurationInputs(environment: environment))
        #expect(open.warnings.map { $0.hasPrefix("admin.host (ADMIN_HOST): is not loopback") } == [true])
        environment["ADMIN_TOKEN"] = "sixteen-or-more-characters"
        let clear = try ProcessorConfiguration(ConfigurationInputs(environment: environment))
        #expect(clear.warnings.map { $0.hasSuffix("tokens go over the network in clear") } == [true])
        environment["ADMIN_HOST"] = "127.0.0.1"
        #expect(try ProcessorConfiguration(ConfigurationInputs(environment: environment)).warnings.isEmpty)
    }

    @Test("secrets are redacted however a configuration is printed")
    func redaction() throws {
        let environment = [
            "AMQP_URL": "amqp://rabbit:hunter2@127.0.0.1:5672/%2f",
            "DATABASE_URL": "postgresql://pg:hunter2@127.0.0.1/d",
            "FINGERPRINT_SECRET": "hunter2hunter2hunter2", "ADMIN_TOKEN": "hunter2hunter2hunter2",
        ]
        let configuration = try ProcessorConfiguration(ConfigurationInputs(environment: environment))
        var dumped = ""
        dump(configuration, to: &dumped)
        let texts = [
            "\(configuration)", String(reflecting: configuration), dumped, configuration.checkText,
            configuration.checkJSON,
            "\(configuration.admin)", String(reflecting: configuration.admin), "\(configuration.fingerprintSecret)",
            "\(configuration.broker)", "\(configuration.database)",
        ]
        for text in texts { #expect(!text.contains("hunter2")) }
        #expect(configuration.checkText.contains("amqp.url = amqp://rabbit:***@127.0.0.1:5672/%2f  # environment\n"))
        #expect(configuration.checkText.contains("database.url = postgresql://pg:***@127.0.0.1/d  # environment\n"))
        #expect(configuration.checkText.contains("fingerprint.secret = ***  # environment\n"))
        #expect(configuration.checkText.contains("admin.token = ***  # environment\n"))
    }
}
