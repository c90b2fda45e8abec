import ArgumentParser
import Core
import Testing

@testable import Processor

/// The command lines on the pages, as the command line itself reads them.
@Suite("Commands that the console shows", .timeLimit(.minutes(1)))
struct ShownCommandTests {
    private let scene = ConsoleScene()

    /// All of a page, parsed by the program's own parser; one that it does not take is an issue.
    private func commands(_ path: String, _ visitor: Visitor) async throws -> [any ParsableCommand] {
        var answer = try await visitor.get(path)
        if answer.status == 303 { answer = try await visitor.get(try #require(answer.headers["location"])) }
        #expect([200, 409].contains(answer.status), "\(path): \(answer.status)")
        let lines = answer.body.matches(of: /<div class="command"><code>([^<]*)<\/code>/).map { String($0.output.1) }
        #expect(!lines.isEmpty, "\(path) shows no command")
        return lines.compactMap { line in
            let words = Self.words(Self.plain(line))
            #expect(words.first == "processor", "\(path): \(line)")
            do {
                return try ProcessorCommand.parseAsRoot(Array(words.dropFirst()))
            } catch {
                // The help of a command is what was asked for.
                if ProcessorCommand.exitCode(for: error).isSuccess { return nil }
                Issue.record("\(path): \(line): \(ProcessorCommand.message(for: error))")
                return nil
            }
        }
    }

    private static func plain(_ html: String) -> String {
        html.replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&quot;", with: "\"")
            .replacing("&#39;", with: "'").replacing("&amp;", with: "&")
    }

    /// As a shell splits them: blanks, single quotes, and a quote behind a backslash.
    private static func words(_ line: String) -> [String] {
        var words: [String] = []
        var word: String?
        var isQuoted = false
        var isEscaped = false
        for character in line {
            if isEscaped {
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if character == "'" {
                isQuoted.toggle()
                word = word ?? ""
            } else if character == "\\", !isQuoted {
                isEscaped = true
            } else if character == " ", !isQuoted {
                if let word { words.append(word) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        return words + (word.map { [$0] } ?? [])
    }

    @Test("every page with something to do or to list shows commands, and each of them is one")
    func everyPage() async throws {
        try await scene.review.prepare()
        for number in 1...3 { try await scene.deadLetters.keep(number) }
        let deadLetter = DeadLetterScene.id(1)
        try await scene.withServer { port in
            let visitor = scene.visitor(port: port)
            for path in [
                "/console", "/console/payments", "/console/payments?status=CAPTURED&since=2026-01-31T12:00:00Z",
                "/console/payments?possible_orphans=true&merchant_id=shop-1", "/console/payments?id=it%27s%20nothing",
                "/console/payments?id=\(ResolutionScene.id)", "/console/payments/\(ResolutionScene.id)",
                "/console/review", "/console/review/\(ResolutionScene.id)?operation=key-1", "/console/dead-letters",
                "/console/dead-letters?code=needs_attention&message=a%20%27b%27&older_than=1h&state=all",
                "/console/dead-letters/\(deadLetter)", "/console/dead-letters/replay?id=\(deadLetter)",
                "/console/dead-letters/replay?all=1", "/console/dead-letters/replay?code=needs_attention&limit=2",
                "/console/dead-letters/discard?all=1", "/console/replays", "/console/sweeps", "/console/audit",
            ] {
                _ = try await commands(path, visitor)
            }
        }
    }

    @Test("a replay's rate and share of failures are in its command, before and afterwards")
    func replay() async throws {
        for number in 1...3 { try await scene.deadLetters.keep(number) }
        try await scene.withServer { port in
            let visitor = scene.visitor(port: port)
            let choice = "code=needs_attention&limit=2"
            let before = try await commands(
                "/console/dead-letters/replay?\(choice)&rate=7&stop_at_failures=0.25",
                visitor
            ).compactMap { $0 as? ReplayDeadLetters }
            #expect(before.map(\.selected.dryRun) == [true, false])
            let order = try #require(before.last)
            #expect(order.rate == 7 && order.stopAtFailures == 0.25 && order.selected.confirm == 2)
            #expect(order.selected.limit == 2 && order.selected.filters.code == "needs_attention")
            for (form, filters) in [
                (["code": "needs_attention", "limit": "2", "confirm": "2"], ["needs_attention"]),
                (["all": "1", "confirm": "3"], []),
            ] {
                let pace = ["rate": "7", "stop_at_failures": "0.25"]
                let answer = try await visitor.post("/console/dead-letters/replay", form.merging(pace) { $1 })
                let path = try #require(answer.headers["location"])
                let shown = try await commands(path, visitor)
                #expect(shown.contains { $0 is ShowReplay })
                // It may have ended by now; while it runs it can be stopped.
                let isRunning = try await visitor.get(path).body.contains("Stop")
                #expect(!isRunning || shown.contains { $0 is StopReplay })
                let again = try #require(shown.compactMap { $0 as? ReplayDeadLetters }.first)
                #expect(again.rate == 7 && again.stopAtFailures == 0.25)
                #expect(again.selected.confirm.map(String.init) == form["confirm"])
                #expect(again.selected.filters.code == filters.first && again.selected.all == filters.isEmpty)
            }
        }
    }

    @Test("a discard, one dead letter, and the sweeps: the action and its dry run")
    func actions() async throws {
        try await scene.deadLetters.keep(1)
        let deadLetter = DeadLetterScene.id(1)
        try await scene.withServer { port in
            let visitor = scene.visitor(port: port)
            let discards = try await commands(
                "/console/dead-letters/discard?id=\(deadLetter)&reason=it%27s%20fixed",
                visitor
            ).compactMap { $0 as? DiscardDeadLetters }
            #expect(discards.map(\.selected.dryRun) == [true, false])
            #expect(discards.map(\.reason) == ["it's fixed", "it's fixed"])
            let one = try await commands("/console/dead-letters/\(deadLetter)", visitor)
            #expect(one.compactMap { $0 as? ReplayDeadLetters }.map(\.selected.dryRun) == [true, false])
            #expect(one.contains { $0 is DiscardDeadLetters })
            let sweeps = try await commands("/console/sweeps", visitor).compactMap { $0 as? RunSweep }
            #expect(sweeps.map(\.job) == SweepJob.allCases.flatMap { [$0, $0] })
            #expect(sweeps.map(\.dryRun) == SweepJob.allCases.flatMap { _ in [true, false] })
            let started = try await visitor.post("/console/sweeps/retention/run")
            let work = try await commands(try #require(started.headers["location"]), visitor)
            #expect(work.compactMap { $0 as? RunSweep }.map(\.job) == [.retention])
            #expect(try await commands("/console/audit", visitor).contains { $0 is DeadLetterAudit })
        }
    }

    @Test("a resolution names the merchant of its operation: a key may be another merchant's, too")
    func resolution() async throws {
        try await scene.review.prepare()
        try await scene.withServer { port in
            let visitor = scene.visitor(port: port)
            let review = try await commands("/console/review/\(ResolutionScene.id)?operation=key-1", visitor)
            let ways = review.compactMap { $0 as? ResolveOperation }
            #expect(ways.map(\.end) == ["succeeded", "failed"])
            #expect(ways.map(\.merchantID) == ["default", "default"])
            let fields = "operation=key-1&as=failed&bank_id=&reason=ticket+4711&merchant_id=default"
            let asked = try await commands("/console/payments/\(ResolutionScene.id)/resolve?\(fields)", visitor)
            let resolution = try #require(asked.compactMap { $0 as? ResolveOperation }.first)
            #expect(resolution.confirm && resolution.merchantID == "default" && resolution.reason == "ticket 4711")
        }
    }
}
