import AMQP
import Core
import HTTPClient
import TestSupport
import Testing

extension World {
    /// How many messages are ready in a queue.
    func waiting(in queue: String) async throws -> Int {
        try await upstream.withConnection { try await $0.messageCount(of: queue) }
    }

    /// Waits for a condition; whether it came about is for the test to judge, beside what else it has to say.
    func comesTrue(within limit: Duration = .seconds(60), _ condition: () async throws -> Bool) async throws -> Bool {
        do {
            try await eventually("it came true", within: limit) { try await condition() }
            return true
        } catch is NeverHappened {
            return false
        }
    }

    /// How commands ended, counted by result, once all have ended or the limit is over: what has no final reply counts as
    /// `not final`, with what was said last.
    func tally(of commands: [TestCommand], within limit: Duration = .seconds(240)) async throws -> [String: Int] {
        _ = try await comesTrue(within: limit) {
            commands.allSatisfy { upstream.replies(to: $0.correlation).contains(where: \.isFinal) }
        }
        var tally: [String: Int] = [:]
        for command in commands {
            let replies = upstream.replies(to: command.correlation)
            let final = replies.first(where: \.isFinal)?.result
            tally[final ?? "not final: \(replies.last?.result ?? "no reply")", default: 0] += 1
        }
        return tally
    }

    /// Expects that all of these have the same result in the end.
    func expect(
        _ commands: [TestCommand],
        endAs result: String,
        within limit: Duration = .seconds(240),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let tally = try await tally(of: commands, within: limit)
        #expect(tally == [result: commands.count], sourceLocation: sourceLocation)
    }

    /// The sum of a metric over all processors that run, or of this one, and all its labels, or those lines that have
    /// this one.
    func metric(_ name: String, with label: String = "", of only: ProcessorProcess? = nil) async throws -> Int {
        var sum = 0.0
        for processor in only.map({ [$0] }) ?? allProcessors where processor.child.isRunning {
            let web = try await processor.admin()
            for line in try await web.text("/metrics").split(separator: "\n") {
                guard line.hasPrefix("\(name) ") || line.hasPrefix("\(name){") else { continue }
                guard label.isEmpty || line.contains(label) else { continue }
                sum += line.split(separator: " ").last.flatMap { Double($0) } ?? 0
            }
            await web.shutdown()
        }
        return Int(sum)
    }

    /// How many partitions each processor has that is there, in the words of `processor members`.
    func shares() async throws -> [Int] {
        let answer = try await command(["members", "--json"])
        let members = try JSONParser.parse(Array(answer.output.utf8))["members"]?.elements ?? []
        return members.map { $0["partitions"]?.elements.count ?? 0 }
    }

    /// Operations whose outcome is not known.
    func openOperations() async throws -> Int64 {
        try await database.number(
            "SELECT count(*) FROM operations WHERE state NOT IN ('SUCCEEDED', 'DECLINED', 'REJECTED')"
        )
    }

    /// Waits until the bank has received so many requests.
    func bankReceives(_ count: Int, within limit: Duration = .seconds(60)) async throws {
        try await eventually("the bank received \(count) requests", within: limit) {
            try await bank.requests().count >= count
        }
    }
}

extension World {
    /// At the broker, or kept and not dealt with.
    func openDeadLetters() async throws -> Int {
        let queued = try await waiting(in: names.deadLetters)
        let kept = try await database.number(
            "SELECT count(*) FROM dead_letters WHERE state IN ('open', 'replaying')"
        )
        return queued + Int(kept)
    }

    /// Waits until the processor has moved that many dead letters into the database and none is left at the broker; gives the
    /// rows of all that were ever kept.
    @discardableResult
    func keptDeadLetters(_ count: Int, within limit: Duration = .seconds(120)) async throws -> [JSONValue] {
        var rows: [JSONValue] = []
        try await eventually("there were \(count) dead letters", within: limit, context: { "\(rows.count) are" }) {
            rows = try await database.rows("SELECT * FROM dead_letters ORDER BY dead_lettered_at, id")
            let queued = try await upstream.withConnection { connection in
                let dead = try await connection.messageCount(of: self.names.deadLetters)
                return dead + (try await connection.messageCount(of: self.names.unrouted))
            }
            return rows.count == count && queued == 0
        }
        return rows
    }

    /// Messages that nobody can be answered for.
    func sendUnanswerable(_ count: Int, pause: Duration = .zero) async throws {
        for _ in 0..<count {
            var message = TestCommand.authorize().message(replyTo: nil)
            message.properties.type = nil
            try await upstream.publish(message, to: names.commandsExchange)
            try await Task.sleep(for: pause)
        }
    }

    /// Runs `processor dead-letters …` to its end.
    func deadLetters(_ arguments: String...) async throws -> (exit: Child.Exit, output: String, errors: String) {
        try await command(["dead-letters"] + arguments)
    }

    /// The same, for what it prints as JSON.
    func deadLettersJSON(_ arguments: String...) async throws -> JSONValue {
        let result = try await command(["dead-letters"] + arguments + ["--json"])
        #expect(result.exit == .status(0), "\(arguments): \(result.errors)")
        return try JSONParser.parse(Array(result.output.utf8))
    }
}
