import TestSupport
import Testing

extension CommandLane {
    @Suite("docs/runbook.md", .timeLimit(.minutes(10)))
    struct RunbookTests {
        @Test("its commands, run in its order in its situations, print what it shows and end as it says")
        func transcript() async throws {
            let transcript = Transcript(DocumentationPage("runbook.md").text)
            let situations = transcript.steps.compactMap { step in
                if case .situation(let name) = step { return name }
                return nil
            }
            #expect(situations == NightShift.situations)
            try await PrivateServices.run { services in
                let settings = World.Settings(servers: services.servers, prefix: "payments")
                try await World.run(settings) { world in
                    let shift = try await NightShift(world, services)
                    var ids = shift.ids
                    for step in transcript.steps {
                        do {
                            try await Self.check(step, &ids, shift)
                        } catch {
                            await shift.end()
                            throw error
                        }
                    }
                    await shift.end()
                }
            }
        }

        private static func check(_ step: Transcript.Step, _ ids: inout ShownIDs, _ shift: NightShift) async throws {
            switch step {
            case .situation(let name):
                try await shift.happen(name)
            case .log(let shown, let line):
                var lines: [String] = []
                var isThere = false
                // It may be about to come.
                for _ in 0..<300 where !isThere {
                    lines = shift.processor.log.split(separator: "\n").map(String.init)
                    isThere = lines.contains { ids.match(["time=… \(shown)"], [$0]) }
                    if !isThere { try await Task.sleep(for: .milliseconds(100)) }
                }
                let last = lines.suffix(20).joined(separator: "\n")
                #expect(isThere, "docs/runbook.md:\(line): the log has no such line: \(shown); its last are\n\(last)")
            case .command(let command):
                guard let text = ids.substituted(command.text) else {
                    Issue.record("docs/runbook.md:\(command.line): names an id that nothing has shown: \(command.text)")
                    return
                }
                let (exit, lines) = try await shift.run(text)
                #expect(exit == .status(command.exit), "docs/runbook.md:\(command.line): \(text)")
                let isShown = ids.match(command.output, lines)
                #expect(
                    isShown,
                    "docs/runbook.md:\(command.line): \(text) printed\n\(lines.joined(separator: "\n"))"
                )
            }
        }

        @Test("an id is what it was where it was first shown; a line too many or too few is noticed")
        func matching() {
            let (one, other) = ("0198c1d2-3b4a-7c5d-8e6f-0a1b2c3d4e5f", "ffffffff-0000-4000-8000-000000000001")
            var ids = ShownIDs(addresses: ["localhost:9090": "127.0.0.1:1"])
            func match(_ shown: [String], _ lines: [String]) -> Bool { ids.match(shown, lines) }
            #expect(ids.substituted("show \(one)") == nil)
            let shown = ["id  \(one)", "…", "end at 2026-01-01T00:00:00Z"]
            #expect(match(shown, ["id   \(other)", "a", "b", "end at 2027-01-01T00:00:00.5Z"]))
            #expect(ids.substituted("curl localhost:9090/\(one)") == "curl 127.0.0.1:1/\(other)")
            #expect(match(["id \(one)"], ["id \(other)"]) && !match(["id \(one)"], ["id \(one)"]))
            #expect(!match(["a"], ["a", "b"]) && !match(["a", "b"], ["a"]) && !match(["a 1"], ["a 2"]))
            #expect(match(["a … (c)"], ["a b (c)"]) && !match(["a … (c)"], ["a b c"]))
        }
    }
}
