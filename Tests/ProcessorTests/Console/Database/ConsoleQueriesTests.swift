import ArgumentParser
import Core
import Migrations
import Testing

@testable import Processor
@testable import StoreContract

@Suite("The console's questions in PostgreSQL", .serialized, .timeLimit(.minutes(5)))
struct ConsoleQueriesTests {
    @Test(
        "the review queue: each operation once, the longest waiting first, whatever became of its dead letters but a replay"
    )
    func reviews() async throws {
        try await ConsoleDatabase.with { database in
            var cases: [(payment: Payment, command: Command, failures: [DeadLetter])] = []
            for index in 0..<4 {
                let (payment, command) = try await database.inReview(order: "order-\(index)")
                let failures = try (0..<2).map { copy in
                    try database.scene.deadLetter(
                        .capture,
                        "\(index)-\(copy)",
                        command,
                        ago: 1_000 - index * 100 - copy * 10
                    )
                }
                for deadLetter in failures { #expect(try await database.deadLetters.keep(deadLetter) == .stored) }
                cases.append((payment, command, failures))
            }
            // An open dead letter comes before one that somebody has discarded, however new that is.
            _ = try await database.deadLetters.discard(cases[1].failures[1].id, by: "ada", reason: "r")
            for deadLetter in cases[2].failures {
                _ = try await database.deadLetters.discard(deadLetter.id, by: "ada", reason: "r")
            }
            // Its operation has ended: nothing to review.
            try await database.execute(
                """
                UPDATE operations SET state = 'REJECTED', reply = 'x', completed_at = now()
                WHERE payment_id = '\(cases[3].payment.id)' AND kind = 'capture'
                """
            )
            let reviews = try await database.reading.reviews(of: nil, after: nil, limit: 10)
            #expect(reviews.map(\.payment.orderID) == ["order-0", "order-1", "order-2"])
            #expect(
                reviews.map(\.deadLetter) == [
                    cases[0].failures[1].id, cases[1].failures[0].id, cases[2].failures[1].id,
                ]
            )
            #expect(reviews.map(\.deadLetterState) == [.open, .open, .discarded])
            #expect(reviews.map(\.since) == reviews.map(\.since).sorted())
            let first = try #require(reviews.first)
            #expect(first.kind == .capture && first.merchantID == database.scene.merchant)
            #expect(first.idempotencyKey == cases[0].command.idempotencyKey && first.lastError == "echo_differs")
            let one = try await database.reading.reviews(of: cases[1].payment.id, after: nil, limit: 10)
            #expect(one.map(\.payment.orderID) == ["order-1"])
        }
    }

    @Test("the review queue page by page, also where all have waited since the same time")
    func reviewPages() async throws {
        try await ConsoleDatabase.with { database in
            var all: Set<PaymentID> = []
            for index in 0..<7 {
                let (payment, command) = try await database.inReview()
                _ = try await database.deadLetters.keep(try database.scene.deadLetter(.capture, "\(index)", command))
                all.insert(payment.id)
            }
            for isSameTime in [false, true] {
                if isSameTime { try await database.setTime("dead_lettered_at", of: "dead_letters") }
                var (pages, place): ([[PaymentID]], ReviewPlace?) = ([], nil)
                repeat {
                    let page = try await database.reading.reviews(of: nil, after: place, limit: 3)
                    pages.append(page.map(\.payment.id))
                    place = try page.last.map { try #require(ReviewPlace($0.place.description)) }
                } while place != nil && pages.count < 10
                #expect(pages.map(\.count) == [3, 3, 1, 0])
                #expect(Set(pages.flatMap(\.self)) == all)
            }
        }
    }

    @Test("dead letters by cause, the largest groups first, by the filters of a list; and how many are left, by code")
    func groups() async throws {
        try await ConsoleDatabase.with { database in
            var times: [Timestamp] = []
            for index in 0..<6 {
                let deadLetter = try database.scene.deadLetter(.capture, "\(index)", ago: 100 * (index + 1)) {
                    message in
                    message.headers[HeaderName.errorMessage] = .string(index < 4 ? "many" : index == 4 ? "b" : "a")
                }
                _ = try await database.deadLetters.keep(deadLetter)
                if index < 4 { times.append(deadLetter.failure.at) }
            }
            let groups = try await database.reading.groups(DeadLetterFilter(), limit: 10)
            #expect(groups.map(\.message) == ["many", "a", "b"])
            #expect(groups.map(\.count) == [4, 1, 1])
            let many = try #require(groups.first)
            #expect(many.code == DeadLetterFailure.needsAttention)
            #expect(many.oldest == times.min() && many.newest == times.max())
            #expect(try await database.reading.groups(DeadLetterFilter(), limit: 1).count == 1)
            var filter = DeadLetterFilter()
            filter.message = "b"
            #expect(try await database.reading.groups(filter, limit: 10).map(\.count) == [1])
            #expect(try await database.deadLetters.unfinishedDeadLetters() == [DeadLetterFailure.needsAttention: 6])
        }
    }

    @Test("what of a payment is not in its history: commands that wait, when its steps were, what is in the outbox")
    func trace() async throws {
        try await ConsoleDatabase.with { database in
            let scene = database.scene
            let other = try await scene.authorized()
            let payment = try await scene.authorized()
            let capture = try await scene.claimed(try scene.command(.capture(amount: nil), payment.id))
            let waiting = try scene.command(.void, payment.id)
            #expect(try await scene.claim(waiting).isWaitForPayment)
            let view = try await scene.view(payment.id)
            let authorize = try #require(view.operations.first)
            var trace = try await database.reading.trace(of: payment.id)
            #expect(trace.waiting.map(\.messageID) == [waiting.messageID])
            #expect(trace.waiting.map(\.kind) == [.void])
            #expect(trace.waiting.map(\.tier) == [.seconds5])
            try await database.execute("UPDATE waiting_commands SET arrived_at = seen_at - interval '30 seconds'")
            #expect(try await database.reading.trace(of: payment.id).waiting.map(\.tier) == [.seconds30])
            #expect(trace.waiting.map(\.idempotencyKey) == [waiting.idempotencyKey.description])
            let steps = try #require(trace.steps.first { $0.operation == authorize.id })
            #expect(steps.completedAt != nil && steps.notifiedAt == nil && steps.undeliverableAt == nil)
            let open = try #require(trace.steps.first { $0.operation == capture.operation.id })
            #expect(open.completedAt == nil && open.notifiedAt == nil)
            #expect(trace.outbox.isEmpty)

            let events = PaymentEvent.of(authorize)
            #expect(events.count == 1)
            try await scene.store.recordNotified(authorize, isUndeliverable: true, relaying: events)
            trace = try await database.reading.trace(of: payment.id)
            let told = try #require(trace.steps.first { $0.operation == authorize.id })
            #expect(told.notifiedAt != nil && told.undeliverableAt != nil)
            #expect(trace.outbox == ["event": 1])
            let untouched = try await database.reading.trace(of: other.id)
            #expect(untouched.waiting.isEmpty && untouched.outbox.isEmpty && untouched.steps.count == 1)
        }
    }

    @Test("the audit, newest first, page by page, also where all is of the same time")
    func audit() async throws {
        try await ConsoleDatabase.with { database in
            var actions: Set<String> = []
            for index in 0..<4 {
                let deadLetter = try database.scene.deadLetter(.capture, "\(index)")
                _ = try await database.deadLetters.keep(deadLetter)
                let claim = ReplayClaim.random
                _ = try await database.deadLetters.beginReplay(deadLetter.id, by: "ada", claim)
                _ = try await database.deadLetters.endReplay(deadLetter.id, by: "ada", claim, .replayed)
                actions.formUnion(["\(deadLetter.id) started", "\(deadLetter.id) replayed"])
            }
            let newest = try #require(try await database.reading.audit(before: nil, limit: 1).first)
            let shown = try #require(try await database.deadLetters.deadLetter(newest.deadLetter))
            #expect(newest.payment == shown.deadLetter.command.paymentID && newest.payment != nil)
            #expect(
                newest.entry.result == "replayed" && newest.entry.actor == "ada" && newest.code == "needs_attention"
            )
            for isSameTime in [false, true] {
                if isSameTime { try await database.setTime("at", of: "dead_letter_audit") }
                var (pages, place): ([[String]], AuditPlace?) = ([], nil)
                repeat {
                    let page = try await database.reading.audit(before: place, limit: 3)
                    pages.append(page.map { "\($0.deadLetter) \($0.entry.result)" })
                    place = try page.last.map { try #require(AuditPlace($0.place.description)) }
                } while place != nil && pages.count < 10
                #expect(pages.map(\.count) == [3, 3, 2, 0])
                #expect(Set(pages.flatMap(\.self)) == actions)
            }
        }
    }

    @Test("the command lists the audit of the console, and goes on where it ended")
    func auditCommand() async throws {
        try await ConsoleDatabase.with { database in
            let empty = try await DeadLetterAudit.parse([]).text(from: database.reading)
            #expect(empty == "nothing was done so far")
            for index in 0..<2 {
                let deadLetter = try database.scene.deadLetter(.capture, "\(index)")
                _ = try await database.deadLetters.keep(deadLetter)
                _ = try await database.deadLetters.discard(deadLetter.id, by: "ada", reason: "reason \(index)")
            }
            let table = try await DeadLetterAudit.parse(["--limit", "1"]).text(from: database.reading)
            let lines = table.split(separator: "\n")
            #expect(lines.count == 3 && lines[0].hasPrefix("AT"))
            #expect(lines[1].contains("ada") && lines[1].hasSuffix("reason 1"))
            let cursor = try #require(lines[2].split(separator: " ").last)
            let rest = try await DeadLetterAudit.parse(["--cursor", String(cursor), "--json"]).text(
                from: database.reading
            )
            let json = try JSONParser.parse(Array(rest.utf8))
            guard case .array(let entries)? = json["audit"] else {
                Issue.record("\(rest)")
                return
            }
            #expect(entries.map { $0["reason"]?.string } == ["reason 0"])
            #expect(json["next_cursor"] == .null)
            #expect(throws: (any Error).self) { try DeadLetterAudit.parse(["--cursor", "nonsense"]) }
        }
    }

    @Test("the schema is the newest migration")
    func schema() async throws {
        try await ConsoleDatabase.with { database in
            let name = try #require(Migrations.all.last?.name)
            #expect(try await database.reading.schema() == name)
        }
    }
}

@Suite("Commands by the minute, of all processors", .serialized, .timeLimit(.minutes(5)))
struct CommandMinutesTests {
    /// Sums of what was noted, wherever a minute may have ended in between.
    private func sums(_ minutes: [[CommandOutcome: Int]]) -> [CommandOutcome: Int] {
        minutes.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
    }

    @Test("what several processors note adds up, and noting the same again adds nothing")
    func several() async throws {
        try await ConsoleDatabase.with { database in
            let minutes = PostgresCommandMinutes(pool: database.pools.queries)
            #expect(try await minutes.lastHour().minutes.count == 60)
            for _ in 0..<2 { try await minutes.note([.succeeded: 5, .deferred: 1, .deadLettered: 2], by: "a") }
            try await minutes.note([.succeeded: 7, .deferred: 1, .deadLettered: 2], by: "a")
            try await minutes.note([.succeeded: 3, .declined: 4], by: "b")
            let hour = try await minutes.lastHour()
            #expect(hour.minutes.count == 60 && (0..<60).contains(hour.seconds))
            #expect(hour.perSecond == 17 / Double(60 + hour.seconds))
            #expect(sums(hour.minutes) == [.succeeded: 10, .declined: 4, .deferred: 1, .deadLettered: 2])
        }
    }

    @Test("each minute has what was done in it; what is older than an hour is not shown, and goes after two")
    func steps() async throws {
        try await ConsoleDatabase.with { database in
            let minutes = PostgresCommandMinutes(pool: database.pools.queries)
            try await minutes.note([.succeeded: 100], by: "a")
            // As if it had been noted so long ago, each minute a little more.
            try await database.execute(
                """
                UPDATE command_minutes SET minute = minute - interval '10 minutes', succeeded = 90;
                INSERT INTO command_minutes SELECT minute - n * interval '1 minute', 'a', 90 - n * 10, 0, 0, 0, 0, 0, 0
                FROM command_minutes, (VALUES (1), (3), (70), (200)) AS v (n) WHERE member = 'a' AND succeeded = 90;
                UPDATE command_minutes SET succeeded = 1 WHERE succeeded < 0;
                """
            )
            try await minutes.note([.succeeded: 100], by: "a")
            let steps = try await minutes.lastHour().minutes.map { $0[.succeeded] ?? 0 }.filter { $0 > 0 }
            // Since the row of 80 minutes ago: 60 - 1, then 80 - 60, 90 - 80, 100 - 90.
            #expect(steps == [59, 20, 10, 10])
            let left = try await database.number("SELECT count(*) FROM command_minutes")
            #expect(left == 5)
        }
    }

    @Test("the writer notes what this processor has done since its start")
    func writer() async throws {
        try await ConsoleDatabase.with { database in
            let (metrics, readiness) = (ProcessorMetrics(registry: PrometheusRegistry()), Readiness())
            readiness.setDatabase(.ok)
            metrics.countCommand(.capture, .succeeded)
            metrics.countUnanswerable()
            let minutes = PostgresCommandMinutes(pool: database.pools.queries)
            let writing = Task {
                await CommandMinuteWriter(
                    minutes: minutes,
                    metrics: metrics,
                    readiness: readiness,
                    identity: "a",
                    time: SystemTime()
                ).run()
            }
            while try await sums(minutes.lastHour().minutes).isEmpty { await Task.yield() }
            writing.cancel()
            await writing.value
            #expect(try await sums(minutes.lastHour().minutes) == [.succeeded: 1, .deadLettered: 1])
        }
    }
}
