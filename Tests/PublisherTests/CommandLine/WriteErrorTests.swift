import Core
import Foundation
import Testing

@testable import Publisher

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
