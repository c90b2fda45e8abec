import Core
import Glibc
import PaymentCommands

/// A file of commands, one a line.
enum BatchFile {
    /// More bad lines than this are only counted.
    static let maximumProblems = 20
    /// Room for the largest body, every byte of it escaped, and the names around it.
    private static let maximumLine = 512 * 1_024

    /// Reads and checks the whole file; `-` is standard input. The failure has a line `FILE:LINE: what` for every bad line.
    static func read(_ path: String) throws(Failure) -> [BatchEntry] {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(path, FileProblem(number: errno)) }
        defer { if descriptor != STDIN_FILENO { close(descriptor) } }
        let result: Result<[BatchEntry], Failure>
        do throws(FileProblem) {
            result = try entries(descriptor, path)
        } catch {
            throw unreadable(path, error)
        }
        return try result.get()
    }

    private static func entries(
        _ descriptor: Int32,
        _ path: String
    ) throws(FileProblem) -> Result<[BatchEntry], Failure> {
        var reader = LineReader(descriptor: descriptor, maximumLength: maximumLine)
        var entries: [BatchEntry] = []
        var problems: [String] = []
        var problemCount = 0
        var number = 0
        while let line = try reader.next() {
            number += 1
            do throws(BatchLine.Problem) {
                guard case .line(let bytes) = line else { throw BatchLine.Problem("the line is too long") }
                if BatchLine.isBlank(bytes) { continue }
                let command = try BatchLine.command(bytes)
                if problemCount == 0 { entries.append(BatchEntry(line: number, command: command)) }
            } catch {
                problemCount += 1
                if problemCount <= maximumProblems { problems.append("\(path):\(number): \(error)") }
            }
        }
        guard problemCount > 0 else { return .success(entries) }
        if problemCount > maximumProblems { problems.append("… and \(problemCount - maximumProblems) more bad lines") }
        let count = problemCount == 1 ? "one line is" : "\(problemCount) lines are"
        return .failure(Failure(.usage, "nothing was sent, because \(count) bad", details: problems))
    }

    private static func unreadable(_ path: String, _ problem: FileProblem) -> Failure {
        Failure(.usage, "\(path == "-" ? "standard input" : path) cannot be read: \(problem)")
    }
}

/// One line of a batch file: `{"operation","payment_id","idempotency_key","merchant_id","body"}`
/// (docs/contract.md#publisher).
enum BatchLine {
    /// What is wrong with a line. Holds no value of it, which may be card data.
    struct Problem: Error, Equatable, CustomStringConvertible {
        let description: String

        init(_ description: String) {
            self.description = description
        }

        init(_ name: String, _ problem: String) {
            self.init("\(name): \(problem)")
        }
    }

    private static let names = ["operation", "payment_id", "idempotency_key", "merchant_id", "body"]

    static func isBlank(_ line: [UInt8]) -> Bool {
        line.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
    }

    /// The command of a line, valid by the processor's own rules.
    static func command(_ line: [UInt8]) throws(Problem) -> OutgoingCommand {
        let members = try members(line)
        let kind = try operation(members)
        let paymentID = try text(members, "payment_id")
        if paymentID == nil, kind != .authorize { throw Problem("payment_id", "is missing") }
        let command = OutgoingCommand(
            kind: kind,
            paymentID: paymentID,
            idempotencyKey: try text(members, "idempotency_key"),
            merchantID: try text(members, "merchant_id"),
            body: try body(members, of: kind)
        )
        if paymentID == nil, command.hasSealedCard {
            throw Problem("payment_id", "is missing, and a sealed card is for one payment")
        }
        if let problem = command.problem { throw Problem(name(of: problem.field), problem.problem) }
        return command
    }

    private static func members(_ line: [UInt8]) throws(Problem) -> [String: JSONValue] {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(line)
        } catch {
            throw Problem("the line \(error)")
        }
        guard case .object(let members) = value else { throw Problem("the line is not a JSON object") }
        for name in members.keys.sorted() where !names.contains(name) {
            let shown = PlainText.of(CardNumberMask.masking(String(name.prefix(40))))
            throw Problem("'\(shown)'", "is none of \(names.joined(separator: ", "))")
        }
        return members
    }

    private static func operation(_ members: [String: JSONValue]) throws(Problem) -> OperationKind {
        guard let value = members["operation"] else { throw Problem("operation", "is missing") }
        guard let kind = value.string.flatMap(OperationKind.init(rawValue:)) else {
            throw Problem("operation", "must be one of authorize, capture, void, refund")
        }
        return kind
    }

    /// `null` counts as absent.
    private static func text(_ members: [String: JSONValue], _ name: String) throws(Problem) -> String? {
        guard let value = members[name], !value.isNull else { return nil }
        guard let text = value.string else { throw Problem(name, "must be a string") }
        return text
    }

    /// Only an authorize needs one.
    private static func body(_ members: [String: JSONValue], of kind: OperationKind) throws(Problem) -> JSONValue {
        guard let body = members["body"], !body.isNull else {
            if kind == .authorize { throw Problem("body", "is missing") }
            return .object([:])
        }
        guard case .object = body else { throw Problem("body", "must be a JSON object") }
        return body
    }

    /// The rules name headers and members of the body; a line has other names for the former.
    private static func name(of field: String) -> String {
        switch field {
        case HeaderName.paymentID: "payment_id"
        case HeaderName.idempotencyKey: "idempotency_key"
        case HeaderName.merchantID: "merchant_id"
        case "body": "body"
        default: "body.\(field)"
        }
    }
}

/// A command of a batch, and where it stands in the file.
struct BatchEntry: Hashable, Sendable {
    /// From 1.
    let line: Int
    let command: OutgoingCommand
}
