import ArgumentParser
import Core
import Simulation
import Testing

@testable import Processor

@Suite("payments resolve", .timeLimit(.minutes(1)))
struct ResolveCommandTests {
    private let scene = ResolutionScene()
    private static let nobody = ConfirmationTerminal(isThere: false) { nil }

    private static func typing(_ line: String?) -> ConfirmationTerminal {
        ConfirmationTerminal(isThere: true) { line }
    }

    private func run(
        _ arguments: [String],
        terminal: ConfirmationTerminal = nobody
    ) async throws -> ResolveOperation.Ending {
        let command = try ResolveOperation.parse(
            [ResolutionScene.id, "--operation", "capture", "--reason", "ticket 4711"] + arguments
        )
        return try await command.ending(scene.resolver, terminal: terminal, actor: "ada")
    }

    @Test("without consent it says what would be done and what the bank says, does nothing, and ends with 64")
    func unconfirmed() async throws {
        try await scene.prepare()
        let ending = try await run(["--as", "failed"])
        #expect(
            ending.output == """
                operation       capture key-1
                payment         00000000-0000-0000-0000-000000000001, CAPTURING, 50.00 USD
                review because  bank_timeout
                the bank        the bank knows nothing under its key
                to be done      resolved as failed, the payment becomes AUTHORIZED
                reason          ticket 4711
                """
        )
        #expect(ending.errors == ["nothing was done; add --confirm to do it"])
        #expect(ending.status == .usage)
        #expect(try await scene.operation.state == .needsAttention)
    }

    @Test("with consent it is done")
    func confirmed() async throws {
        try await scene.prepare()
        let ending = try await run(["--as", "failed", "--confirm"])
        #expect(
            ending
                == ResolveOperation.Ending(
                    output: "capture key-1 is resolved as failed, the payment is AUTHORIZED; "
                        + "its reply and events are on their way, 0 dead letters closed",
                    status: .done
                )
        )
        #expect(try await scene.operation.state == .declined)
        let again = try await run(["--as", "failed", "--confirm"])
        #expect(again.status == .differences && again.output == nil)
        #expect(
            again.errors == [
                "only what is NEEDS_ATTENTION can be resolved; capture key-1 is DECLINED; nothing was done"
            ]
        )
    }

    @Test("the JSON is one line, with sorted keys, before and after", arguments: [true, false])
    func json(isConfirmed: Bool) async throws {
        try await scene.prepare()
        scene.bank.say(.captured("cap_1"))
        let ending = try await run(["--as", "succeeded", "--json"] + (isConfirmed ? ["--confirm"] : []))
        #expect(
            ending.output == """
                {"as":"succeeded","bank":{"id":"cap_1","key":"executed","message":"the bank has executed it as cap_1"},\
                "dead_letters":0,"done":\(isConfirmed),"idempotency_key":"key-1","merchant_id":"default",\
                "operation":"capture","outcome":"succeeded","payment_id":"00000000-0000-0000-0000-000000000001",\
                "reason":"ticket 4711","status":"CAPTURED"}
                """
        )
        #expect(ending.status == (isConfirmed ? .done : .usage))
    }

    @Test("on a terminal it is asked for", arguments: [("yes", true), (" yes ", true), ("y", false), (nil, false)])
    func terminal(line: String?, isDone: Bool) async throws {
        try await scene.prepare()
        scene.bank.say(.forgotten("cap_2"))
        let ending = try await run(["--as", "succeeded", "--bank-id", "cap_2"], terminal: Self.typing(line))
        #expect(ending.status == (isDone ? .done : .differences))
        #expect(try await scene.operation.state == (isDone ? .succeeded : .needsAttention))
    }

    @Test(
        "what is refused has its exit code, and says why",
        arguments: [
            (.captured("cap_1"), ["--as", "failed"], .differences, "bank_contradicts", "executed it as cap_1"),
            (.unknown, ["--as", "succeeded"], .usage, "bank_id_needed", "the id of what it did is needed"),
            (
                .unknown, ["--as", "succeeded", "--bank-id", "cap_9"], .differences, "bank_contradicts",
                "knows no capture cap_9"
            ),
            (.unreachable, ["--as", "failed"], .unavailable, "unavailable", "cannot be asked (connect_failed)"),
            (
                .unknown, ["--as", "failed", "--merchant-id", "other"], .differences, "not_found",
                "the payment has no operation 'capture'"
            ),
        ] as [(SayingBank.Word, [String], Processor.ExitStatus, String, String)]
    )
    func refused(
        word: SayingBank.Word,
        arguments: [String],
        status: Processor.ExitStatus,
        code: String,
        message: String
    ) async throws {
        try await scene.prepare()
        scene.bank.say(word)
        let ending = try await run(arguments + ["--confirm", "--json"])
        #expect(ending.status == status)
        #expect(ending.errors.first?.contains(message) == true, "\(ending.errors)")
        #expect(ending.errors.first?.hasSuffix("; nothing was done") == true)
        let json = try JSONParser.parse(Array((ending.output ?? "").utf8))
        #expect(json["done"] == .bool(false) && json["error"]?.string == code)
        #expect(try await scene.operation.state == .needsAttention)
    }

    @Test("a payment that is not there, or a store that is away, ends with 1 and 69")
    func noPayment() async throws {
        let missing = try await run(["--as", "failed"])
        #expect(missing.status == .differences)
        #expect(missing.errors == ["there is no payment \(ResolutionScene.id); nothing was done"])
        scene.store.setDown(true)
        #expect(try await run(["--as", "failed"]).status == .unavailable)
    }

    @Test("what the store refuses to write is reported as such, and needs manual review still")
    func refusedByStore() async throws {
        try await scene.prepare()
        scene.store.inject(.refused, into: .complete)
        let ending = try await run(["--as", "failed", "--confirm"])
        #expect(ending.status == .internal)
        #expect(ending.errors == ["the database cannot be used (23514); nothing was done"])
        #expect(try await scene.operation.state == .needsAttention)
    }

    @Test("a dead letter that could not be closed is a failure of what is done")
    func deadLettersStay() async throws {
        try await scene.prepare()
        let deadLetters = DeadLetterScene(store: scene.store)
        try await deadLetters.keep(1)
        scene.store.inject(.unavailable, into: .deadLetters)
        let ending = try await run(["--as", "failed", "--confirm", "--json"])
        #expect(ending.status == .differences)
        #expect(ending.errors == ["its dead letters are not all discarded: store unavailable (08006)"])
        #expect(ending.output?.contains(#""dead_letters":0,"done":true"#) == true)
    }

    @Test(
        "bad usage is exit code 64, with a line that says what",
        arguments: [
            (["x", "--operation", "k", "--as", "failed", "--reason", "r"], "the payment id is not a UUID"),
            (["--operation", "k", "--as", "lost", "--reason", "r"], "--as: must be failed or succeeded"),
            (["--operation", "", "--as", "failed", "--reason", "r"], "--operation: must be 1 to 255 characters"),
            (["--operation", "k", "--as", "failed", "--reason", ""], "--reason: must be 1 to 500 characters"),
            (
                ["--operation", "k", "--as", "failed", "--reason", "r", "--bank-id", "cap_1"],
                "--bank-id: goes with 'succeeded' only"
            ),
            (
                ["--operation", "k", "--as", "failed", "--reason", "r", "--merchant-id", "a b"],
                "--merchant-id: must be 1 to 64 letters"
            ),
            (["--operation", "k", "--as", "failed"], "Missing expected argument '--reason <reason>'"),
            (["--as", "failed", "--reason", "r"], "Missing expected argument '--operation <operation>'"),
        ]
    )
    func usage(arguments: [String], message: String) {
        let id = arguments.first == "x" ? [] : [ResolutionScene.id]
        #expect {
            try ProcessorCommand.parseAsRoot(["payments", "resolve"] + id + arguments)
        } throws: { error in
            ProcessorCommand.exitCode(for: error).rawValue == Processor.ExitStatus.usage.rawValue
                && ProcessorCommand.message(for: error).contains(message)
        }
    }
}
