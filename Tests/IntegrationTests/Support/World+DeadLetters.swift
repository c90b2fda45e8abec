import AMQP
import Core
import TestSupport
import Testing

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
