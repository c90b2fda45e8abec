import AMQP
import Core
import HTTPClient
import TestSupport
import Testing

extension FaultLane {
    @Suite("Operations that an operator ends", .timeLimit(.minutes(15)))
    struct ResolveTests {
        /// An operation that needs manual review, of which its client has heard that much.
        private struct Scene {
            let command: TestCommand
            /// All that is reported of it.
            let events: String
            let processor: ProcessorProcess
        }

        /// Leaves an operation behind at some point, says by SQL that it needs manual review, and lets a processor tell
        /// that.
        private static func scene(
            _ kind: OperationKind,
            _ point: StuckPoint,
            in world: World,
            changing column: String? = nil
        ) async throws -> Scene {
            let first = try await world.startProcessor()
            let command: TestCommand
            if kind == .authorize {
                command = .authorize()
            } else {
                let payment = try await world.authorized()
                if kind == .refund { try await world.ask(.capture(payment)) }
                switch kind {
                case .capture: command = .capture(payment)
                case .void: command = .void(payment)
                default: command = .refund(payment)
                }
            }
            #expect(try await first.terminate() == .status(0))
            try await point.leaveBehind(command, in: world)
            try await world.database.execute(
                """
                UPDATE operations SET state = 'NEEDS_ATTENTION', last_error = 'bank_timeout' \(column.map { ", \($0)" } ?? "")
                WHERE idempotency_key = '\(command.key)'
                """
            )
            let events = try await world.upstream.listenToEvents(of: world.names)
            let processor = try await world.startProcessor()
            try await eventually("the client heard that it is unknown") {
                try await world.database.execute("UPDATE open_operations SET due_at = now()")
                return world.upstream.replies(to: command.correlation).contains { $0.result.hasPrefix("unknown") }
            }
            try await world.keptDeadLetters(1)
            return Scene(command: command, events: events, processor: processor)
        }

        private static func resolve(
            _ scene: Scene,
            in world: World,
            _ arguments: String...
        ) async throws -> (exit: Child.Exit, output: String, errors: String) {
            try await world.command(
                [
                    "payments", "resolve", scene.command.paymentID, "--operation", scene.command.kind.rawValue,
                    "--reason", "ticket 4711",
                ] + arguments
            )
        }

        private static func expectNotified(_ scene: Scene, _ event: String, in world: World) async throws {
            let published = try await eventually("the event came") {
                try await world.upstream.browse(scene.events).first { $0.properties.type == "payment.\(event).v1" }
            }
            #expect(published.properties.headers["payment-id"]?.stringValue == scene.command.paymentID)
            try await world.upstream.withConnection { _ = try await $0.deleteQueue(scene.events) }
            let deadLetters = try await world.database.rows(
                "SELECT l.state, a.reason FROM dead_letters l JOIN dead_letter_audit a ON a.dead_letter_id = l.id"
            )
            #expect(deadLetters.map { $0["state"]?.string } == ["discarded"])
            #expect(deadLetters.first?["reason"]?.string?.hasSuffix(": ticket 4711") == true)
        }

        @Test(
            "as succeeded, with what the bank replays: its word is refused where it contradicts",
            arguments: OperationKind.allCases
        )
        func succeeded(_ kind: OperationKind) async throws {
            try await World.run(World.Settings(processor: SweepTimes.soon)) { world in
                let scene = try await Self.scene(kind, .beforeTheResult, in: world)
                let bankID = try #require(try await world.bank.ledger().last?.bankID)
                let asked = try await Self.resolve(scene, in: world, "--as", "succeeded")
                #expect(asked.exit == .status(64), "\(asked.errors)")
                #expect(asked.output.contains(bankID) && asked.errors.contains("add --confirm to do it"))
                let failed = try await Self.resolve(scene, in: world, "--as", "failed", "--confirm")
                #expect(failed.exit == .status(1))
                #expect(failed.errors.contains("the bank has executed it as \(bankID)"))
                let state = "SELECT count(*) FROM operations WHERE state = 'NEEDS_ATTENTION'"
                #expect(try await world.database.number(state) == 1)

                let done = try await Self.resolve(scene, in: world, "--as", "succeeded", "--confirm", "--json")
                #expect(done.exit == .status(0), "\(done.errors)")
                let json = try JSONParser.parse(Array(done.output.utf8))
                #expect(json["done"] == .bool(true) && json["outcome"]?.string == "succeeded")
                #expect(json["bank"]?["id"]?.string == bankID && json["dead_letters"]?.integer == 1)
                let reply = try await world.upstream.finalReply(to: scene.command)
                #expect(reply.result == "succeeded" && reply.isReplayed == true)
                #expect(reply.paymentStatus == kind.succeeded.rawValue)
                #expect(reply.json["bank_response"]?["status"]?.integer == 200)
                try await Self.expectNotified(scene, kind.succeeded.rawValue.lowercased(), in: world)
                let again = try await world.ask(scene.command.duplicate)
                #expect(again.message.body == reply.message.body)
                let executed = try await world.bank.requests().filter { !$0.bankKey.isEmpty && !$0.isReplay }
                #expect(executed.count == (try await world.bank.ledger().count), "nothing was executed for it")
            }
        }

        @Test(
            "as failed, where the bank knows nothing: the payment gets its state back",
            arguments: OperationKind.allCases
        )
        func failed(_ kind: OperationKind) async throws {
            try await World.run(World.Settings(processor: SweepTimes.soon)) { world in
                let scene = try await Self.scene(kind, .beforeTheBank, in: world)
                let done = try await Self.resolve(scene, in: world, "--as", "failed", "--confirm")
                #expect(done.exit == .status(0), "\(done.errors)")
                let reply = try await world.upstream.finalReply(to: scene.command)
                #expect(reply.result == "declined resolved_as_failed" && reply.isReplayed == true)
                #expect(reply.json["bank_response"] == .null)
                let back = ["authorize": "FAILED", "refund": "CAPTURED"][kind.rawValue] ?? "AUTHORIZED"
                #expect(reply.paymentStatus == back)
                try await Self.expectNotified(scene, "declined", in: world)
                let again = try await Self.resolve(scene, in: world, "--as", "failed", "--confirm")
                #expect(again.exit == .status(1) && again.errors.contains("is DECLINED"), "\(again.errors)")
                let causes = try await world.database.rows(
                    "SELECT cause FROM payment_history WHERE version IS NOT NULL ORDER BY version"
                )
                let cause = causes.last?["cause"]?.string ?? ""
                #expect(cause.hasPrefix("\(kind.rawValue) resolved as failed by "))
                #expect(cause.contains(": ticket 4711"))
                // What comes next for the payment is free to go on.
                guard kind == .capture else { return }
                #expect(try await world.ask(.capture(scene.command.paymentID)).result == "succeeded")
            }
        }

        // Not audited: no operation has the key under which the bank executed it.
        @Test(
            "as succeeded, where the bank has forgotten the key: by its id, which is checked",
            arguments: OperationKind.allCases
        )
        func forgotten(_ kind: OperationKind) async throws {
            try await World.run(World.Settings(processor: SweepTimes.soon, isAudited: false)) { world in
                let scene = try await Self.scene(
                    kind,
                    .beforeTheResult,
                    in: world,
                    changing: "bank_key = 'forgotten'"
                )
                let bankID = try #require(try await world.bank.ledger().last?.bankID)
                let without = try await Self.resolve(scene, in: world, "--as", "succeeded", "--confirm")
                #expect(without.exit == .status(64))
                #expect(without.errors.contains("the id of what it did is needed"), "\(without.errors)")
                let named = ["--as", "succeeded", "--confirm", "--bank-id"]
                if kind != .void {
                    let wrong = try await Self.resolve(scene, in: world, named[0], named[1], named[2], named[3], "none")
                    #expect(wrong.exit == .status(1))
                    #expect(wrong.errors.contains("the bank knows no \(kind.rawValue) none"), "\(wrong.errors)")
                }
                let done = try await Self.resolve(scene, in: world, named[0], named[1], named[2], named[3], bankID)
                #expect(done.exit == .status(0), "\(done.errors)")
                let reply = try await world.upstream.finalReply(to: scene.command)
                #expect(reply.result == "succeeded" && reply.paymentStatus == kind.succeeded.rawValue)
                try await Self.expectNotified(scene, kind.succeeded.rawValue.lowercased(), in: world)
            }
        }

        @Test(
            "over HTTP; while the bank is away nothing is done; a discarded dead letter says that its operation is open"
        )
        func overHTTP() async throws {
            try await World.run(World.Settings(processor: SweepTimes.soon)) { world in
                let scene = try await Self.scene(.capture, .beforeTheBank, in: world)
                try await world.bank.fault("down", on: nil, count: nil)
                let down = try await Self.resolve(scene, in: world, "--as", "failed", "--confirm")
                #expect(down.exit == .status(69), "\(down.errors)")
                let web = try await scene.processor.admin()
                func post(_ members: String) async throws -> HTTPResponse {
                    try await web.send(
                        .post,
                        "/payments/\(scene.command.paymentID)/resolve",
                        headers: [HTTPHeader("Content-Type", "application/json"), HTTPHeader("X-Operator", "ada")],
                        body: #"{"operation":"capture","as":"failed","reason":"ticket 4711"\#(members)}"#
                    )
                }
                #expect(try await post(#","confirm":true"#).status == 503)
                try await world.bank.clearFaults()

                let plan = try await post("")
                #expect(plan.status == 200)
                #expect(try JSONParser.parse(plan.body)["done"] == .bool(false))
                let discarded = try await world.deadLetters("discard", "--all", "--confirm", "1", "--reason", "r")
                #expect(discarded.exit == .status(0))
                #expect(discarded.errors.contains("its operation is still open: capture \(scene.command.key)"))
                #expect(discarded.output.contains("1 of their operations still open"))

                let done = try await post(#","confirm":true"#)
                #expect(done.status == 200)
                #expect(try JSONParser.parse(done.body)["done"] == .bool(true))
                let reply = try await world.upstream.finalReply(to: scene.command)
                #expect(reply.result == "declined resolved_as_failed")
                #expect(try await post("").status == 409)
                let shown = try await web.json("/payments/\(scene.command.paymentID)")
                let cause = shown["history"]?.elements.last?["cause"]?.string
                #expect(cause == "capture resolved as failed by ada: ticket 4711")
                await web.shutdown()
                try await world.upstream.withConnection { _ = try await $0.deleteQueue(scene.events) }
            }
        }
    }
}
