import ArgumentParser
import ConfigurationReading
import ConfigurationText
import Core
import Testing

@testable import Processor

@Suite("The commands", .timeLimit(.minutes(1)))
struct CommandTests {
    @Test("check-config prints a line for each key with where it came from")
    func checkText() throws {
        var inputs = ConfigurationInputs(
            commandLine: ["amqp.partitions": "4"],
            environment: ["BANK_TIMEOUT": "3s", "DATABASE_URL": "host=127.0.0.1 password='p w' dbname=d"],
            file: DotEnvFile("LOG_LEVEL=debug")
        )
        inputs.environment["AMQP_PREFIX"] = ""
        #expect(
            try ProcessorConfiguration(inputs).checkText == """
                amqp.url = amqp://guest:***@127.0.0.1:5672/%2f  # default
                amqp.prefix = payments  # default
                amqp.partitions = 4  # command line
                amqp.prefetch = 64  # default
                amqp.declare = true  # default
                # amqp.management-url is not set
                # amqp.ca-file is not set
                # amqp.cert-file is not set
                # amqp.key-file is not set
                database.url = host=127.0.0.1 password=*** dbname=d  # environment
                database.migrate = true  # default
                database.statement-timeout = 5s  # default
                bank.url = http://127.0.0.1:8787  # default
                bank.timeout = 3s  # environment
                bank.worst-case = 17s  # default
                bank.concurrency = 128  # default
                # bank.ca-file is not set
                # bank.cert-file is not set
                # bank.key-file is not set
                fingerprint.secret = ***  # default
                # fingerprint.previous-secrets is not set
                # cards.key-files is not set
                cards.accept-plain = true  # default
                # merchants.file is not set
                operation.lease = 25s  # default
                payment.busy-after = 2m  # default
                admin.host = 127.0.0.1  # default
                admin.port = 9090  # default
                # admin.token is not set
                # admin.tokens-file is not set
                # admin.cert-file is not set
                # admin.key-file is not set
                shutdown.grace = 25s  # default
                sweeps.reconcile.period = 60s  # default
                sweeps.expire.period = 5m  # default
                sweeps.expire.grace = 1h  # default
                sweeps.expire.void = false  # default
                sweeps.retention.period = 1h  # default
                sweeps.batch = 100  # default
                dead-letters.sealed-card-retention = 24h  # default
                allow-plaintext = false  # default
                log.level = debug  # .env
                log.format = logfmt  # default
                log.overflow = drop  # default
                """
        )
    }

    @Test("check-config --json is one object with settings and warnings")
    func checkJSON() throws {
        let json = try ProcessorConfiguration(ConfigurationInputs()).checkJSON
        #expect(json.hasPrefix(#"{"settings":{"admin.cert-file":{"source":"default","value":null},"#))
        #expect(json.contains(#""admin.token":{"source":"default","value":null}"#))
        #expect(
            json.hasSuffix(
                #""warnings":["fingerprint.secret (FINGERPRINT_SECRET): is not set; a fixed value is used, "#
                    + #"which is for development only"]}"#
            )
        )
        #expect(!json.contains("\n"))
    }

    @Test("payments show --json prints what the admin API answers")
    func showJSON() async throws {
        let show = try Payments.Show.parse(["00000000-0000-0000-0000-000000000001", "--json"])
        #expect(try await show.text(from: FakeQueries([Samples.view()])) == Expected.view)
    }

    @Test("payments show prints a page for people")
    func showText() async throws {
        let show = try Payments.Show.parse(["00000000-0000-0000-0000-000000000001"])
        #expect(
            try await show.text(from: FakeQueries([Samples.view()])) == """
                payment             00000000-0000-0000-0000-000000000001
                status              CAPTURING
                amount              50.05 USD
                merchant            default
                order               order-1
                customer            customer-1
                created             1970-01-01T00:00:01.000000Z
                authorized          1970-01-01T00:00:01.500000Z
                bank authorization  auth_1

                History
                  AT                           FROM     TO          OPERATION  CAUSE
                  1970-01-01T00:00:01.000000Z  -        PENDING     authorize  authorize claimed
                  1970-01-01T00:00:01.500000Z  PENDING  AUTHORIZED  authorize  authorize succeeded

                Operations
                  KIND     STATE    ATTEMPTS  NOTIFIED  IDEMPOTENCY KEY  LAST ERROR
                  capture  UNKNOWN  2         -         key-1            bank_timeout
                """
        )
    }

    @Test("a payment that does not exist is exit code 1")
    func showMissing() async throws {
        let show = try Payments.Show.parse(["00000000-0000-0000-0000-00000000000a"])
        let failure = await #expect(throws: CommandFailure.self) { try await show.text(from: FakeQueries()) }
        #expect(failure == CommandFailure(.differences, "there is no payment 00000000-0000-0000-0000-00000000000a"))
    }

    @Test("payments list prints a table, and how to go on")
    func listText() async throws {
        let views = [1, 2].map { PaymentView(payment: Samples.payment($0), history: [], operations: []) }
        let list = try Payments.List.parse(["--order-id", "order-1", "--limit", "1"])
        #expect(
            try await list.text(from: FakeQueries(views)) == """
                PAYMENT                               STATUS     AMOUNT     MERCHANT  ORDER    CUSTOMER    CREATED
                00000000-0000-0000-0000-000000000002  CAPTURING  50.05 USD  default   order-1  customer-1  \
                1970-01-01T00:00:02.000000Z

                more: --cursor 2000000.00000000-0000-0000-0000-000000000002
                """
        )
        let none = try Payments.List.parse(["--customer-id", "nobody"])
        #expect(try await none.text(from: FakeQueries(views)) == "no payments")
    }

    @Test("payments list --json prints what the admin API answers")
    func listJSON() async throws {
        let list = try Payments.List.parse(["--customer-id", "customer-1", "--merchant", "default", "--json"])
        let text = try await list.text(from: FakeQueries([Samples.view()]))
        #expect(text == #"{"next_cursor":null,"payments":[\#(Expected.payment(1))]}"#)
    }

    @Test("the possible orphans are a table with a column of their own, or JSON")
    func listOrphans() async throws {
        let views = [PossibleOrphan.suspected, .unlikely].enumerated().map { index, orphan in
            PaymentView(payment: Samples.payment(UInt64(index + 1)), history: [], operations: [], orphan: orphan)
        }
        let text = try await Payments.List.parse(["--possible-orphans"]).text(from: FakeQueries(views))
        let lines = text.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[0].hasSuffix("CREATED                      ORPHAN"))
        #expect(lines[1].hasSuffix("1970-01-01T00:00:02.000000Z  unlikely"))
        #expect(lines[2].hasSuffix("1970-01-01T00:00:01.000000Z  suspected"))
        let json = try await Payments.List.parse(["--possible-orphans", "--json"]).text(from: FakeQueries([views[0]]))
        #expect(json.contains(#""order_id":"order-1","possible_orphan":"suspected","refunded_at":null"#))
        let show = try Payments.Show.parse(["00000000-0000-0000-0000-000000000001"])
        #expect(try await show.text(from: FakeQueries(views)).contains("possible orphan     suspected"))
    }

    @Test("the comparison of ledgers is a line for each that somebody must check")
    func ledgerLines() {
        func comparison(_ status: PaymentStatus, _ orphan: PossibleOrphan?, _ answers: [BankAnswer]) -> LedgerComparison
        {
            var payment = Samples.payment()
            payment.status = status
            return LedgerComparison(payment, orphan: orphan, answers, isMissingProof: true)
        }
        let agreeing = BankAnswer.response(
            BankResponse(
                status: 200,
                body: .json(
                    .object([
                        "authorization_id": .string("auth_1"), "status": .string("approved"), "amount": .integer(5_005),
                    ])
                )
            )
        )
        let id = "00000000-0000-0000-0000-000000000001"
        #expect(LedgerOutput.line(comparison(.authorized, nil, [agreeing])) == nil)
        #expect(LedgerOutput.line(comparison(.authorized, .unlikely, [agreeing])) == nil)
        #expect(
            LedgerOutput.line(comparison(.authorized, .suspected, [agreeing]))
                == "\(id)  AUTHORIZED  agrees  possible orphan: suspected"
        )
        #expect(
            LedgerOutput.line(comparison(.authorized, .unlikely, [.noAnswer(reason: "timed_out")]))
                == "\(id)  AUTHORIZED  cannot be said: the bank gave no answer  possible orphan: unlikely"
        )
        let totals = LedgerReport.Totals(agree: 3, differ: 1, unknown: 2, possibleOrphans: 1)
        #expect(LedgerOutput.summary(totals) == "3 agree, 1 differ, 2 cannot be said, 1 possible orphan")
    }

    @Test(
        "bad usage is exit code 64, with a line that says what",
        arguments: [
            (["payments", "show", "nonsense"], "the payment id is not a UUID"),
            (
                ["payments", "list"],
                "--order-id, --customer-id, --possible-orphans, --status, --idempotency-key, --bank-id, --message-id, "
                    + "--since, --until: at least one of them is needed"
            ),
            (["payments", "list", "--status", "PAID"], "--status: must be one of PENDING, AUTHORIZED"),
            (["payments", "list", "--since", "yesterday"], "--since: must be an instant as in RFC 3339"),
            (["payments", "list", "--order-id", "a", "--limit", "201"], "--limit: must be an integer from 1 to 200"),
            (
                ["payments", "list", "--order-id", "a", "--cursor", "x"],
                "--cursor: is not a next_cursor of an earlier page"
            ),
            (["payments", "show"], "Missing expected argument '<id>'"),
            (["check-config", "--amqp-prefetches", "1"], "Unknown option '--amqp-prefetches'"),
            (["frobnicate"], "Unexpected argument 'frobnicate'"),
        ]
    )
    func usage(arguments: [String], message: String) {
        #expect {
            try ProcessorCommand.parseAsRoot(arguments)
        } throws: { error in
            ProcessorCommand.exitCode(for: error).rawValue == Processor.ExitStatus.usage.rawValue
                && ProcessorCommand.message(for: error).contains(message)
        }
    }

    @Test(
        "errors have the exit codes of the contract",
        arguments: [
            (StoreError(.unavailable, detail: "08006"), Processor.ExitStatus.unavailable),
            (StoreError(.refused, detail: "42P01"), .internal),
            (ConfigurationError(problems: ["a", "b"]), .configuration),
            (CommandFailure(.differences, "x"), .differences),
            (LedgerReport.Failure.bankUnreachable("connect_failed"), .unavailable),
            (LedgerReport.Failure.store(StoreError(.refused, detail: "42P01")), .internal),
            (AdminServerError(AdminConfiguration(host: "h", port: 1, token: nil), CancellationError()), .unavailable),
        ] as [(any Error, Processor.ExitStatus)]
    )
    func exitCodes(error: any Error, status: Processor.ExitStatus) {
        #expect(CommandFailure(error)?.status == status)
    }

    @Test("each problem of a configuration is a line of its own")
    func problemLines() {
        #expect(CommandFailure(ConfigurationError(problems: ["a", "b"]))?.lines == ["a", "b"])
    }

    @Test("what could move a terminal's cursor is not printed")
    func terminal() {
        #expect(TextTable.lines([["a\u{1b}[31m", "b"], ["c", "d\r\n\u{202e}"]]) == ["a?[31m  b", "c       d???"])
    }
}

@Suite("Help")
struct HelpTextTests {
    private static let commands: [any ParsableCommand.Type] = [
        ProcessorCommand.self, Run.self, CheckConfig.self, ReconcileReport.self, Doctor.self,
    ]

    @Test("every help has the exit codes, once, and none of the configuration's options")
    func exitCodes() {
        for command in Self.commands {
            let help = HelpText.completed(ProcessorCommand.helpMessage(for: command, columns: 200))
            #expect(help.split(separator: "EXIT CODES:", omittingEmptySubsequences: false).count == 2)
            #expect(!help.contains("--amqp-url <value>"))
        }
        #expect(HelpText.completed("1.0.0") == "1.0.0")
    }
}
