import Core
import Glibc
import HTTPClient
import TestSupport
import Testing

extension FaultLane {
    @Suite("A log that nobody reads", .timeLimit(.minutes(10)))
    struct StalledLogTests {
        @Test(
            "keeps SIGTERM from nothing: exit 0 within the grace, and what came before was worked on",
            arguments: ["drop", "block"]
        )
        func terminate(overflow: String) async throws {
            try await World.run { world in
                let folder = try ScratchDirectory()
                defer { folder.remove() }
                let reader = try Self.reader(at: folder.file("log"))
                defer { close(reader) }
                let port = try ListeningSocket.unusedPort()
                let processor = try Child(
                    TestPrograms.processor(),
                    ["run"],
                    environment: world.environment(
                        nil,
                        [
                            "LOG_LEVEL": "debug", "LOG_OVERFLOW": overflow, "ADMIN_PORT": "\(port)",
                            "SHUTDOWN_GRACE": "10s",
                        ]
                    ),
                    errors: folder.file("log")
                )
                let web = try WebClient(port: Int(port))
                try await eventually("it was ready", context: { processor.lastWords }) {
                    guard processor.isRunning else { throw ChildError("the processor ended") }
                    return (try? await web.send(.get, "/readyz").status) == 200
                }
                if overflow == "drop" {
                    let commands = (0..<4_000).map { _ in TestCommand.authorize() }
                    try await world.send(commands)
                    _ = try await world.upstream.finalReplies(to: commands)
                    #expect(try await Self.droppedLines(web) > 0)
                } else {
                    // More than the pipe and the queue hold: everything waits for the reader by and by.
                    try await world.send((0..<8_000).map { _ in TestCommand.authorize() })
                    try await eventually("it waited for its log") {
                        let before = world.upstream.replyCount
                        try await Task.sleep(for: .seconds(2))
                        return before > 100 && world.upstream.replyCount == before
                    }
                }
                processor.send(SIGTERM)
                #expect(try await processor.end(within: .seconds(60)) == .status(0))
                processor.directory.remove()
                await web.shutdown()
                // What is left is the next one's.
                let next = try await world.startProcessor()
                try await eventually("all was answered", within: .seconds(240)) {
                    try await world.openOperations() == 0
                }
                try await next.terminate()
            }
        }

        private static func droppedLines(_ web: WebClient) async throws -> Int {
            let name = "payments_log_lines_dropped_total "
            let line = try await web.text("/metrics").split(separator: "\n").first { $0.hasPrefix(name) }
            return line.flatMap { Int($0.dropFirst(name.count)) } ?? 0
        }

        /// A pipe with a reader that does not read.
        private static func reader(at path: String) throws -> Int32 {
            try #require(mkfifo(path, 0o600) == 0)
            let reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            try #require(reader >= 0)
            return reader
        }
    }
}

extension CommandLane {
    @Suite("Metrics as Prometheus reads them", .timeLimit(.minutes(5)))
    struct MetricsTests {
        /// What `scripts/promtool-version`, which `make test` calls, has got: that needs Debian's archive.
        private static let promtool = "\(PrivateServices.root)/.local/prometheus-2.42/run"

        @Test(
            "promtool finds nothing wrong with them",
            .enabled(if: access(promtool, X_OK) == 0, "promtool cannot be had here")
        )
        func check() async throws {
            try await World.run { world in
                let processor = try await world.startProcessor()
                _ = try await world.authorized()
                let web = try await processor.admin()
                let text = try await web.text("/metrics")
                await web.shutdown()
                #expect(text.contains("\npayments_commands_total{"))
                #expect(try await Self.problems(of: text) == "")
                // It is one that says so.
                #expect(try await Self.problems(of: "# TYPE n counter\nn 1\n").contains("_total"))
            }
        }

        private static func problems(of metrics: String) async throws -> String {
            let directory = try ScratchDirectory()
            defer { directory.remove() }
            let file = directory.file("metrics")
            try ScratchDirectory.write(metrics, to: file)
            let child = try Child("/bin/sh", ["-c", "exec \"$1\" check metrics <\"$2\"", "sh", promtool, file])
            try await child.end()
            defer { child.directory.remove() }
            return child.standardOutput + child.standardError
        }
    }
}
