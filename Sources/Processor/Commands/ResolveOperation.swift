import ArgumentParser
import Core
import Logging
import Program

struct ResolveOperation: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve",
        abstract: "Ends an operation that needs manual review, by an operator's decision.",
        discussion: """
            Only what is in NEEDS_ATTENTION can be resolved. The bank is asked first, by the operation's key: what it replays \
            decides, and contradicts what differs. Where it knows nothing under the key, `succeeded` needs the bank's id of what \
            it did, which is checked too (a void cannot be), and `failed` is taken at its word: make sure with the bank that it \
            has not done it, and will not. The client gets its final reply and all listeners the events, by way of the outbox of a \
            running processor; the dead letters of the operation are closed; who said it and why is in the payment's history.

            Without --confirm nothing is done, but on a terminal, where it is asked for.

            Exit codes: 0 done, 1 refused, 64 usage, or not confirmed, 69 bank or database unreachable.

            EXAMPLES
              processor payments resolve 0198c1d2-3b4a-7c5d-8e6f-0a1b2c3d4e5f --operation capture --as failed \\
                  --reason 'the bank has no such capture, ticket 4711'
              processor payments resolve 0198c1d2-3b4a-7c5d-8e6f-0a1b2c3d4e5f --operation key-1 --as succeeded \\
                  --bank-id cap_0b1c2d3e --reason 'on the statement of May 3rd' --confirm
            """
    )

    @Argument(help: "The payment's id, a UUID.")
    var id: String

    @Option(help: "The operation's idempotency key, or its kind where one only of that kind needs manual review.")
    var operation: String

    @Option(name: .customLong("as"), help: "How it ended: succeeded or failed.")
    var end: String

    @Option(help: "The bank's id of what it did, with succeeded; not needed where the bank knows the operation's key.")
    var bankID: String?

    @Option(help: "Why, for the history: 1 to 500 characters.")
    var reason: String

    @Option(help: "Only operations of this merchant.")
    var merchantID: String?

    @Flag(help: "Do it.")
    var confirm = false

    @Flag(help: "Print one line of JSON.")
    var json = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func validate() throws {
        _ = try order(by: "validation")
    }

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        Telemetry.bootstrapLogging(level: max(configuration.logLevel, .warning))
        let actor = ConfirmationTerminal.operatorName
        let ending = try await ending(OperationResolver(configuration), terminal: .standard, actor: actor)
        if let output = ending.output { StandardStream.output.print(output) }
        for line in ending.errors { StandardStream.error.print("processor: \(line)") }
        guard ending.status == .done else { throw ExitCode(ending.status.rawValue) }
    }

    /// What is printed where, and how the command ends.
    struct Ending: Hashable, Sendable {
        var output: String?
        var errors: [String] = []
        var status: ExitStatus
    }

    func ending(
        _ resolver: OperationResolver,
        terminal: ConfirmationTerminal,
        actor: String
    ) async throws -> Ending {
        let order = try order(by: actor)
        var isBegun = false
        do throws(ResolutionRefusal) {
            let plan = try await resolver.plan(order)
            guard confirm || terminal.isThere else {
                return Ending(
                    output: shown(plan),
                    errors: ["nothing was done; add --confirm to do it"],
                    status: .usage
                )
            }
            guard confirm || terminal.consents(to: ResolutionText.plan(plan)) else {
                return Ending(errors: ["nothing was done"], status: .differences)
            }
            isBegun = true
            let report = try await resolver.carryOut(plan)
            return Ending(
                output: json ? Self.line(plan.json(report)) : ResolutionText.report(report),
                errors: report.problems,
                status: report.problems.isEmpty ? .done : .differences
            )
        } catch {
            return refused(error, isBegun: isBegun)
        }
    }

    private func shown(_ plan: ResolutionPlan) -> String {
        json ? Self.line(plan.json(nil)) : ResolutionText.plan(plan)
    }

    private func refused(_ refusal: ResolutionRefusal, isBegun: Bool) -> Ending {
        let end =
            isBegun && !refusal.isHarmless
            ? "it may have been done, or be done by the sweep: check it again" : "nothing was done"
        let report = JSONValue.object([
            "done": .bool(false), "error": .string(refusal.code), "message": .string(refusal.explanation),
            "operation": .string(operation), "payment_id": .string(id.lowercased()),
        ])
        return Ending(
            output: json ? Self.line(report) : nil,
            errors: ["\(refusal.explanation); \(end)"],
            status: refusal.exitStatus
        )
    }

    private static func line(_ json: JSONValue) -> String { String(decoding: json.encoded, as: UTF8.self) }

    private func order(by actor: String) throws -> ResolutionOrder {
        guard let payment = PaymentID(id) else { throw ValidationError("the payment id is not a UUID") }
        do throws(InvalidField) {
            return try ResolutionInput(
                operation: operation,
                end: end,
                bankID: bankID,
                reason: reason,
                merchantID: merchantID
            ).order(on: payment, by: actor)
        } catch {
            throw ValidationError("--\(error.field.replacing("_", with: "-")): \(error.problem)")
        }
    }
}
