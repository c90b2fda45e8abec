import AMQP
import ArgumentParser
import Core
import Simulation
import StoreContract
import Synchronization
import Testing

@testable import Processor

@Suite("The commands for dead letters", .timeLimit(.minutes(1)))
struct DeadLetterCommandTests {
    private let scene = DeadLetterScene()
    private static let nobody = ConfirmationTerminal(isThere: false) { nil }

    private static func typing(_ line: String?) -> ConfirmationTerminal {
        ConfirmationTerminal(isThere: true) { line }
    }

    private func replay(_ arguments: String...) throws -> ReplayDeadLetters {
        try ReplayDeadLetters.parse(arguments)
    }

    @Test("list is a table for an operator, and JSON for a program")
    func list() async throws {
        try await scene.keep(1)
        let table = try await ListDeadLetters.parse([]).text(from: scene.store)
        #expect(
            table == """
                DEAD LETTER                           STATE  CODE             OPERATION  PAYMENT                               \
                MERCHANT  CARD  DEAD-LETTERED                REPLAYABLE  MESSAGE
                00000000-0000-0000-0000-000000000001  open   needs_attention  capture    00000000-0000-0000-0000-000000000001  \
                default   -     1970-01-01T00:00:01.000000Z  yes         bank_timeout
                """
        )
        let json = try await ListDeadLetters.parse(["--json", "--state", "open"]).text(from: scene.store)
        #expect(json.hasPrefix(#"{"dead_letters":[{"card":null,"code":"needs_attention","#))
        #expect(json.hasSuffix(#"],"next_cursor":null}"#))
        #expect(try await ListDeadLetters.parse(["--code", "unrouted"]).text(from: scene.store) == "no dead letters")
    }

    @Test("a list has pages, and shows what is left to do unless a state is asked for")
    func pages() async throws {
        for number in 1...3 { try await scene.keep(number) }
        _ = try await scene.store.discard(DeadLetterScene.id(2), by: "ada", reason: "a test")
        func list(_ arguments: String...) async throws -> String {
            try await ListDeadLetters.parse(arguments).text(from: scene.store)
        }
        let first = try await list("--limit", "1")
        let cursor = "3000000.\(DeadLetterScene.id(3))"
        #expect(first.contains("\(DeadLetterScene.id(3))  open") && first.hasSuffix("\n\nmore: --cursor \(cursor)"))
        let second = try await list("--limit", "1", "--cursor", cursor)
        #expect(second.contains("\(DeadLetterScene.id(1))  open") && !second.contains("more:"))
        #expect(try await list("--state", "all").contains("\(DeadLetterScene.id(2))  discarded"))
    }

    @Test("a dry run decides one by one as the run does, and says why what is skipped is")
    func rehearsal() async throws {
        try await scene.keep(1)
        try await scene.keep(2) { $0.body = Array("garbage 123".utf8) }
        try await scene.keep(3)
        _ = try await scene.store.discard(DeadLetterScene.id(3), by: "ada", reason: "a test")
        let ids = [1, 2, 3].map(DeadLetterScene.id)
        let replay = try await scene.service.rehearse(ids, .replay)
        #expect([replay.done, replay.skipped] == [1, 2])
        #expect(replay.skips.map(\.id) == [2, 3].map(DeadLetterScene.id))
        #expect(replay.skips.map(\.reason) == [ReplaySkip.incomplete.explanation, ReplaySkip.discarded.explanation])
        #expect(
            DeadLetterOutcome(action: .replay, isDryRun: true, json: false).text(of: replay)
                == "1 of 3 dead letters would be replayed, 2 would be skipped; nothing was written"
        )
        let discard = try await scene.service.rehearse(ids, .discard)
        #expect([discard.done, discard.skipped] == [2, 1])
        #expect(discard.skips.map(\.reason) == ["is discarded already"])
        #expect(scene.sink.messages.isEmpty)
        #expect(try await scene.store.deadLetter(DeadLetterScene.id(1))?.audit.isEmpty == true)
        // The run itself.
        let report = try await scene.service.replay(ids, by: "op")
        #expect([report.done, report.skipped] == [replay.done, replay.skipped] && report.skips == replay.skips)
    }

    @Test(
        "what asks for consent says how many there are, and how to agree",
        arguments: [
            (3, [], "3 dead letters match: add --confirm 3"), (1, [], "1 dead letter matches: add --confirm 1"),
            (0, [], "no dead letters match; nothing was done"),
            (3, ["--confirm", "2"], "3 dead letters match, not 2; nothing was done"),
        ] as [(Int, [String], String)]
    )
    func consent(count: Int, arguments: [String], message: String) async throws {
        for number in 0..<count { try await scene.keep(number + 1) }
        let selected = try ReplayDeadLetters.parse(["--all"] + arguments).selected
        let error = await #expect(throws: CommandFailure.self) {
            _ = try await selected.agreed(.replay, scene.service, terminal: Self.nobody)
        }
        #expect(error?.lines == [message])
        #expect(error?.status == (arguments.isEmpty ? .usage : .differences))
    }

    @Test("show tells all, and that an authorize cannot be replayed")
    func show() async throws {
        let id = try await scene.keep(1) { message in
            message.type = "payment.authorize.v1"
            message.body = Array(
                #"{"card":{"number":"4111111111111111","cvv":"123","expiry_month":12,"expiry_year":2030}}"#.utf8
            )
        }
        _ = try await scene.store.discard(id, by: "ada", reason: "a test")
        let text = try await ShowDeadLetter.parse([id.description]).text(from: scene.store)
        for part in [
            "no: cannot be replayed: its card was reduced", #"{"card":{"number":"411111******1111"}}"#, "ada", "a test",
            "discarded", "idempotency-key  key-1",
        ] {
            #expect(text.contains(part), "\(part)")
        }
        for part in ["4111111111111111", "cvv", "expiry"] { #expect(!text.contains(part), "\(part)") }
        await #expect(throws: CommandFailure(.differences, "there is no dead letter \(DeadLetterScene.id(9))")) {
            _ = try await ShowDeadLetter.parse([DeadLetterScene.id(9).description]).text(from: scene.store)
        }
    }

    @Test("stats count what is left to do")
    func stats() async throws {
        #expect(try await DeadLetterStats.parse([]).text(from: scene.store) == "no open dead letters")
        for number in 1...3 { try await scene.keep(number, code: number == 1 ? "a" : "b") }
        #expect(
            try await DeadLetterStats.parse([]).text(from: scene.store) == """
                CODE   OPEN
                b      2
                a      1
                total  3
                """
        )
        let json = try await DeadLetterStats.parse(["--json"]).text(from: scene.store)
        #expect(json == #"{"by_code":{"a":1,"b":2},"open":3}"#)
    }

    @Test("what is agreed to is what was selected; a number that is another one is refused")
    func agreement() async throws {
        for number in 1...3 { try await scene.keep(number) }
        let service = scene.service
        let all = try await replay("--all", "--confirm", "3").selected.agreed(.replay, service, terminal: Self.nobody)
        #expect(all.ids == [1, 2, 3].map(DeadLetterScene.id) && !all.isDryRun)
        let two = try await replay("--code", "needs_attention", "--limit", "2").selected
            .agreed(.replay, service, terminal: Self.typing(" 2 "))
        #expect(two.ids == [1, 2].map(DeadLetterScene.id))
        let dry = try await replay("--all", "--dry-run").selected.agreed(.replay, service, terminal: Self.nobody)
        #expect(dry.ids.count == 3 && dry.isDryRun)
        let one = try await replay(DeadLetterScene.id(2).description, "--confirm", "1").selected
            .agreed(.replay, service, terminal: Self.nobody)
        #expect(one.ids == [DeadLetterScene.id(2)])
        let none = try await replay("--code", "unrouted").selected.agreed(.replay, service, terminal: Self.typing(nil))
        #expect(none.ids.isEmpty)
    }

    @Test(
        "without agreement nothing is done",
        arguments: [
            (["--all"], nobody, Processor.ExitStatus.usage), (["--all", "--confirm", "2"], nobody, .differences),
            (["--all"], typing("2"), .differences), (["--all"], typing("yes"), .differences),
            (["--all"], typing(nil), .differences), (["--all", "--confirm", "2"], typing("3"), .differences),
            ([DeadLetterScene.id(9).description, "--confirm", "1"], nobody, .differences),
        ]
    )
    func refusal(arguments: [String], terminal: ConfirmationTerminal, status: Processor.ExitStatus) async throws {
        for number in 1...3 { try await scene.keep(number) }
        let selected = try ReplayDeadLetters.parse(arguments).selected
        await #expect {
            _ = try await selected.agreed(.replay, scene.service, terminal: terminal)
        } throws: { error in
            (error as? CommandFailure)?.status == status
        }
    }

    @Test(
        "bad usage is exit code 64, with a line that says what",
        arguments: [
            (["replay"], "name dead letters by their ids, or give filters, or --all"),
            (["replay", "x", "--confirm", "1"], "x is not a UUID"),
            (["replay", "00000000-0000-0000-0000-000000000001", "--all"], "name dead letters by their ids"),
            (["replay", "00000000-0000-0000-0000-000000000001", "--limit", "1"], "--limit goes with filters or --all"),
            (["replay", "--all", "--limit", "0"], "--limit: must be an integer from 1 to 1000000"),
            (["replay", "--all", "--rate", "0"], "--rate: must be an integer from 1 to 100000"),
            (["replay", "--all", "--stop-at-failures", "2"], "--stop-at-failures: must be a number from 0 to 1"),
            (["replay", "--state", "closed"], "--state: must be one of open, replaying, replayed, discarded, all"),
            (
                ["replay", "--code", "delivery-limit"],
                "--code: must be one of invalid_command, needs_attention, delivery_limit"
            ),
            (["list", "--cursor", "x"], "--cursor: is not a next_cursor of an earlier page"),
            (["list", "--older-than", "1"], "--older-than: must be a duration such as 30s, 15m, 24h"),
            (["list", "--operation", "x"], "--operation: must be one of authorize, capture, void, refund"),
            (["list", "--payment", "x"], "--payment: is not a UUID"), (["list", "--limit", "0"], "--limit: must be"),
            (["show", "x"], "the dead letter's id is not a UUID"),
            (["replays", "show", "x"], "the replay's id is not a UUID"),
            (["replays", "--limit", "0"], "--limit: must be an integer from 1 to 1000"),
            (["discard", "--all", "--confirm", "1"], "Missing expected argument '--reason <reason>'"),
            (["discard", "--all", "--reason", ""], "--reason: must be 1 to 1000 printable characters"),
        ]
    )
    func usage(arguments: [String], message: String) {
        #expect {
            try ProcessorCommand.parseAsRoot(["dead-letters"] + arguments)
        } throws: { error in
            ProcessorCommand.exitCode(for: error).rawValue == Processor.ExitStatus.usage.rawValue
                && ProcessorCommand.message(for: error).contains(message)
        }
    }

    @Test("the outcome is a sentence, or the contract's JSON")
    func outcome() async throws {
        let ids = [try await scene.keep(1), try await scene.keep(2) { $0.body = Array("garbage 123".utf8) }]
        let report = try await scene.service.replay(ids, by: "op")
        let outcome = DeadLetterOutcome(action: .replay, isDryRun: false, json: false)
        #expect(outcome.text(of: report) == "replayed 1 of 2 dead letters, skipped 1")
        #expect(throws: ExitCode(1)) { try outcome.check(report) }
        let dry = DeadLetterOutcome(action: .discard, isDryRun: true, json: false)
        #expect(
            dry.text(of: report) == "1 of 2 dead letters would be discarded, 1 would be skipped; nothing was written"
        )
    }

    @Test("replays are shown and stopped by command")
    func replays() async throws {
        #expect(try await ListReplays.parse([]).text(from: scene.store) == "no replays")
        let ids = [try await scene.keep(1), try await scene.keep(2) { $0.body = Array("garbage 123".utf8) }]
        let order = ReplayOrder(requestedBy: "ada", filter: .object([:]), pace: ReplayPace(perSecond: 50))
        let run = try await scene.service.order(ids, order)
        let waiting = try await scene.service.order(ids, order)
        _ = try await scene.service.runHere(run.id)
        let table = try await ListReplays.parse([]).text(from: scene.store)
        #expect(table.contains("\(run.id)  finished  2         1         1        0       ada"))
        let text = try await ShowReplay.parse([run.id.description]).text(from: scene.store)
        for part in [
            "finished", "requested by      ada", "50 a second", "Not replayed", "\(ids[1])  refused",
            ReplaySkip.incomplete.explanation,
        ] {
            #expect(text.contains(part), "\(part)")
        }
        let json = try await ShowReplay.parse([run.id.description, "--json"]).text(from: scene.store)
        #expect(json.contains(#""result":"refused"}]"#) && json.contains(#""replayed":1"#))
        let stop = try await StopReplay.parse([waiting.id.description]).text(from: scene.store, by: "bob")
        #expect(stop == "replay \(waiting.id) is stopped")
        #expect(try await ListReplays.parse(["--json"]).text(from: scene.store).contains(#""stopped_by":"bob""#))
        let nobody = DeadLetterScene.id(9).description
        await #expect(throws: CommandFailure(.differences, "there is no replay \(nobody)")) {
            _ = try await StopReplay.parse([nobody]).text(from: scene.store, by: "bob")
        }
    }

    @Test("without a processor a replay is done by the command itself; without a broker it is withdrawn")
    func watched() async throws {
        let ids = [try await scene.keep(1)]
        let watch = ReplayWatch(service: scene.service, time: SteppingTime())
        let order = ReplayOrder(requestedBy: "ada")
        struct NoBroker: Error {}
        await #expect(throws: NoBroker.self) { _ = try await watch.run(ids, order) { throw NoBroker() } }
        let withdrawn = try #require(try await scene.store.replays(limit: 1).first)
        #expect(withdrawn.state == .failed && withdrawn.fencingToken == 0)
        #expect(scene.sink.messages.isEmpty)
        let report = try await watch.run(ids, order) { Task {} }
        #expect(report.done == 1 && report.isClean && scene.sink.messages.count == 1)
    }

    @Test("a replay that the command itself runs, and that a fault of the store cuts off, is taken up again by it")
    func cutOffHere() async throws {
        let ids = [try await scene.keep(1), try await scene.keep(2)]
        let service = DeadLetterService(
            store: scene.store,
            sink: BreakingSink(scene: scene),
            time: SystemTime(),
            random: SystemRandom(),
            fingerprinter: Fingerprinter(secret: [1])
        )
        let watch = ReplayWatch(service: service, time: SteppingTime(along: scene.time))
        let report = try await watch.run(ids, ReplayOrder(requestedBy: "ada")) { Task {} }
        #expect(report.done == 2 && report.isClean && scene.sink.messages.count == 2)
    }

    @Test("a discard says which operations it leaves open, and how to end them")
    func stillOpen() async throws {
        let resolution = ResolutionScene()
        try await resolution.prepare()
        let deadLetters = DeadLetterScene(store: resolution.store)
        let id = try await deadLetters.keep(1)
        let report = await deadLetters.service.discard([id], by: "op", reason: "r")
        let outcome = DeadLetterOutcome(action: .discard, isDryRun: false, json: false)
        #expect(
            outcome.text(of: report)
                == "discarded 1 of 1 dead letter; 1 of their operations still open, which `processor payments resolve` ends"
        )
        #expect(
            report.warnings == [
                "\(id): its operation is still open: capture key-1 of payment \(ResolutionScene.id); "
                    + "`processor payments resolve` ends it"
            ]
        )
        let json = String(decoding: report.json(.discard).encoded, as: UTF8.self)
        #expect(
            json == """
                {"discarded":1,"dry_run":false,"failed":0,"open_operations":[{"id":"\(id)","idempotency_key":"key-1",\
                "operation":"capture","payment_id":"\(ResolutionScene.id)"}],"selected":1,"skipped":0,"still_open":1}
                """
        )
        // And who looks at it later sees the same.
        let show = ["\(id)"]
        let text = try await ShowDeadLetter.parse(show).text(from: deadLetters.store)
        #expect(text.contains("NEEDS_ATTENTION: still open, which `processor payments resolve` ends"))
        let shown = try await ShowDeadLetter.parse(show + ["--json"]).text(from: deadLetters.store)
        #expect(shown.contains(#""operation_state":"NEEDS_ATTENTION""#))
        #expect(report.isClean)
    }

    @Test("the broker's headers tell how a message came to the dead letters")
    func origins() {
        #expect(BrokerDeadLetter.origin(of: AMQPMessage(properties: AMQPProperties(), body: [])) == .processor)
        let death: AMQPTable = [
            "reason": "delivery_limit", "queue": "q", "count": 1, "time": .timestamp(1_700_000_000),
        ]
        let expired: AMQPTable = ["reason": "expired", "queue": "r", "count": 3]
        let properties = AMQPProperties(headers: ["x-death": .array([.table(death), .table(expired)])])
        let origin = BrokerDeadLetter.origin(of: AMQPMessage(properties: properties, body: []))
        #expect(
            origin
                == .broker(
                    reason: "delivery_limit",
                    occurrence: "q 1 1700000000",
                    at: Timestamp(microseconds: 1_700_000_000_000_000)
                )
        )
    }
}

/// Whoever sleeps is awake at once, and later.
private final class SteppingTime: TimeSource {
    private let passed = Mutex(Duration.zero)
    private let other: VirtualTime?

    /// - Parameter other: another clock that goes with it.
    init(along other: VirtualTime? = nil) {
        self.other = other
    }

    func now() -> Timestamp { Timestamp(microseconds: 0).advanced(by: uptime()) }
    func uptime() -> Duration { passed.withLock { $0 } }
    func sleep(for duration: Duration) async throws(CancellationError) {
        if Task.isCancelled { throw CancellationError() }
        passed.withLock { $0 += duration }
        other?.advance(by: duration)
    }
}

/// The store cannot be reported the first dead letter that is published.
private final class BreakingSink: MessageSink {
    private let scene: DeadLetterScene
    private let isBroken = Atomic(false)

    init(scene: DeadLetterScene) {
        self.scene = scene
    }

    func publish(_ message: Message, to destination: Destination) async throws(SinkError) -> PublishOutcome {
        if !isBroken.exchange(true, ordering: .relaxed) { scene.store.inject(.unavailable, into: .replays) }
        return try await scene.sink.publish(message, to: destination)
    }
}
