import Core
import Foundation
import TestSupport
import Testing

@testable import Publisher

@Suite("The command line", .timeLimit(.minutes(5)))
struct UsageTests {
    private static let authorize = [
        "authorize", "--amount", "5000", "--order-id", "o", "--customer-id", "c", "--card", "4111111111111111", "--cvv",
        "123", "--expiry", "12/2030",
    ]

    @Test(
        "wrong usage is one clear line, exit code 64, and nothing on standard output",
        arguments: [
            ([], "say what to send: authorize, capture, void, refund, batch or replies (see 'publisher --help')"),
            (["pay"], "Unexpected argument 'pay' (see 'publisher --help')"),
            (["void"], "Missing expected argument '--payment-id <uuid>' (see 'publisher void --help')"),
            (["void", "--payment-id=x", "--bogus"], "Unknown option '--bogus' (see 'publisher void --help')"),
            (["capture", "--payment-id"], "Missing value for '--payment-id <uuid>' (see 'publisher capture --help')"),
            (["batch"], "Missing expected argument '<file>' (see 'publisher batch --help')"),
            (["batch", "/nowhere"], "/nowhere cannot be read: No such file or directory"),
            (["batch", "/dev/null", "--window", "0"], "--window must be from 1 to 50000"),
            (
                ["void", "--payment-id", "7"],
                "--payment-id must be a UUID such as 123e4567-e89b-12d3-a456-426614174000"
            ),
            (
                ["void", "--payment-id", Fixture.paymentID, "--payment-id", Fixture.paymentID],
                "--payment-id is given twice: give it once"
            ),
            (
                ["void", "--payment-id", Fixture.paymentID, "--json", "--json"],
                "--json is given twice: give it once"
            ),
            (
                ["void", "--payment-id", Fixture.paymentID, "--timeout", "5"],
                "--timeout must be a duration such as 250ms, 15s, 2m or 1h"
            ),
            (
                ["void", "--payment-id", Fixture.paymentID, "4111111111111111"],
                "Unexpected argument '[digits]' (see 'publisher void --help')"
            ),
        ] as [([String], String)]
    )
    func usage(arguments: [String], line: String) async throws {
        let result = try await PublisherProcess(arguments).result()
        #expect(result.errorLines == ["publisher: " + line])
        #expect(result.output.isEmpty)
        #expect(result.status == 64)
    }

    @Test(
        "a card that cannot be right is not sent and not shown",
        arguments: [
            ("4111111111111111", "4111111111111112", "--card: the number's check digit is wrong, so it is mistyped"),
            ("4111111111111111", "4111-1111-1111-1111", "--card must be a string of 12 to 19 digits"),
            ("123", "12", "--cvv must be a string of 3 or 4 digits"),
            ("12/2030", "2030-12", "--expiry must be written mm/yyyy"),
            ("4111111111111111", "-", "--card - reads the cvv and the expiry too"),
        ]
    )
    func badCard(good: String, bad: String, beginning: String) async throws {
        let result = try await PublisherProcess(Self.authorize.map { $0 == good ? bad : $0 }).result()
        #expect(result.errorLines.count == 1)
        #expect(result.errors.hasPrefix("publisher: " + beginning))
        #expect(!result.errors.contains("1111"))
        #expect(result.status == 64)
    }

    @Test(
        "help goes to standard output, with examples and exit codes",
        arguments: ["", "authorize", "capture", "void", "refund", "batch"]
    )
    func help(command: String) async throws {
        let arguments = command.isEmpty ? ["--help"] : [command, "--help"]
        let result = try await PublisherProcess(arguments).result()
        #expect(result.status == 0)
        #expect(result.output.contains("EXAMPLE"))
        #expect(result.output.contains("EXIT CODES"))
        #expect(result.errors.isEmpty)
    }

    @Test("a broker that is not there gives exit code 69 and the way out")
    func unreachable() async throws {
        let result = try await PublisherProcess(Self.authorize, url: "amqp://127.0.0.1:1").result()
        #expect(result.status == 69)
        #expect(result.errorLines.count == 1)
        #expect(result.errors.hasPrefix("publisher: cannot connect to the broker: connection refused by 127.0.0.1:1;"))
        #expect(result.errors.contains("AMQP_URL"))
    }

    @Test("wrong configuration gives exit code 78, and shows no credentials")
    func configuration() async throws {
        let result = try await PublisherProcess(Self.authorize, url: "amqp:/user:secret@host", prefix: "a b").result()
        #expect(result.status == 78)
        #expect(result.errorLines.count == 2)
        #expect(!result.errors.contains("secret"))
    }

    @Test("the file .env of the working directory counts, the environment more, the command line most")
    func environmentFile() async throws {
        let file = "# here\nAMQP_URL=amqp://127.0.0.1:2\n"
        let fromFile = try await PublisherProcess(Self.authorize, environmentFile: file).result()
        #expect(fromFile.errors.contains("refused by 127.0.0.1:2;"))
        let fromEnvironment = try await PublisherProcess(
            Self.authorize,
            url: "amqp://127.0.0.1:3",
            environmentFile: file
        ).result()
        #expect(fromEnvironment.errors.contains("refused by 127.0.0.1:3;"))
        let line = Self.authorize + ["--amqp-url", "amqp://127.0.0.1:4"]
        let fromLine = try await PublisherProcess(line, url: "amqp://127.0.0.1:3", environmentFile: file).result()
        #expect(fromLine.errors.contains("refused by 127.0.0.1:4;"))
    }

    @Test("a batch with a bad line sends nothing and says where it is")
    func badBatch() async throws {
        let input = "\(Fixture.authorizeLine())\n{\"operation\":\"void\"}\n"
        let result = try await PublisherProcess(["batch", "-"], url: "amqp://127.0.0.1:1", input: input).result()
        #expect(result.status == 64)
        #expect(result.errors == "-:2: payment_id: is missing\npublisher: nothing was sent, because one line is bad\n")
        #expect(result.output.isEmpty)
    }

    @Test("an empty batch is done, without a broker")
    func emptyBatch() async throws {
        let result = try await PublisherProcess(["batch", "-", "--json"], url: "amqp://127.0.0.1:1", input: "\n")
            .result()
        #expect(result.status == 0)
        #expect(
            result.output
                == #"{"summary":{"declined":0,"no_reply":0,"rejected":0,"seconds":0.000,"sent":0,"succeeded":0,"unknown":0}}"#
                + "\n"
        )
    }
}

@Suite("Output that cannot be written", .timeLimit(.minutes(2)))
struct WriteErrorTests {
    @Test(
        "is one line and exit code 74",
        arguments: [["--help"], ["--version"], ["authorize", "--help"], ["batch", "-"], ["batch", "-", "--json"]]
    )
    func full(arguments: [String]) async throws {
        let result = try await PublisherProcess(arguments, output: FileHandle(forWritingAtPath: "/dev/full")).result()
        #expect(result.status == 74)
        #expect(result.errorLines == ["publisher: standard output cannot be written: No space left on device"])
    }

    @Test(
        "ends no command that is under way",
        .enabled(if: !FakeProcessor.url.isEmpty, "AMQP_URL names no broker"),
        arguments: [["batch", "-"], ["batch", "-", "--json"]]
    )
    func batch(arguments: [String]) async throws {
        try await FakeProcessor.run(answering: { _ in [.outcome(.succeeded)] }) { processor in
            let result = try await PublisherProcess(
                arguments,
                url: FakeProcessor.url,
                prefix: processor.prefix,
                input: (0..<300).map { Fixture.authorizeLine(key: "k-\($0)") }.joined(separator: "\n"),
                output: FileHandle(forWritingAtPath: "/dev/full")
            ).result()
            #expect(result.status == 74)
            #expect(processor.commands.count == 300)
        }
    }

    @Test("because nobody reads any more is no error")
    func brokenPipe() async throws {
        let gone = Pipe()
        try gone.fileHandleForReading.close()
        let result = try await PublisherProcess(["--help"], output: gone.fileHandleForWriting).result()
        #expect(result.status == 0)
        #expect(result.errors.isEmpty)
    }

    @Test("the version is one line")
    func version() async throws {
        let result = try await PublisherProcess(["--version"]).result()
        #expect(result.status == 0)
        #expect(result.output.wholeMatch(of: #/publisher \d+\.\d+\.\d+\n/#) != nil)
    }
}

/// docs/contract.md#exit-codes against the publisher's.
@Suite("The publisher's documented exit codes", .timeLimit(.minutes(1)))
struct DocumentedExitCodesTests {
    @Test("are those that it ends with")
    func exitCodes() {
        let documented = DocumentationPage("contract.md").table("publisher", "Meaning").map { $0[0] }
        #expect(documented == PublisherStatus.allCases.map { "\($0.rawValue)" })
    }
}
