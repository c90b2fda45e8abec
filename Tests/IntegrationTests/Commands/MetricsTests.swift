import Glibc
import TestSupport
import Testing

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
