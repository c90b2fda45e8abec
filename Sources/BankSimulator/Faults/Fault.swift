/// A fault as it was asked for.
struct Fault: Equatable, Sendable {
    let kind: FaultKind
    /// nil is `any`.
    var operation: BankOperation?
    /// How many requests it hits before it is gone; nil is until it is deleted.
    var count: Int?
    /// Of hitting a request that it is aimed at: above 0, up to 1.
    var probability = 1.0
    /// Of `latency` the wait, of `timeout-after-execute` how long the answer is held; the others do not use it.
    var milliseconds: Int64?
    /// Of `status`, and of nothing else.
    var answer: StatusAnswer?
    /// Of `reshape`, and of nothing else.
    var style: AnswerStyle?

    /// How long `timeout-after-execute` holds an answer unless told otherwise: longer than any client waits.
    static let defaultHold: Int64 = 60_000

    /// The longest wait that can be asked for: a day.
    static let longestWait: Int64 = 86_400_000

    /// How long it holds an answer, in milliseconds.
    var hold: Int64 { milliseconds ?? Self.defaultHold }

    /// The request ends before anything is executed.
    var preventsExecution: Bool {
        switch kind {
        case .dropBefore, .error500, .down: true
        case .status: answer?.executes != true
        default: false
        }
    }
}

/// What can be made to go wrong with a request (docs/bank.md#the-bank-simulator).
///
/// `lose-key` and `latency` change a request and go together with any other fault; of the rest a request suffers one.
enum FaultKind: String, CaseIterable, Sendable {
    /// Executes, stores the key, and holds the answer for `milliseconds`, then sends it.
    case timeoutAfterExecute = "timeout-after-execute"
    /// Cuts the connection; nothing is executed.
    case dropBefore = "drop-before"
    /// Executes, stores the key, and cuts the connection without an answer.
    case dropAfter = "drop-after"
    /// Executes, stores the key, and answers 200 with a body that is not JSON.
    case garbage
    /// Answers 500 `internal_error`; nothing is executed.
    case error500 = "error-500"
    /// Executes and answers, but never stores the key.
    case loseKey = "lose-key"
    /// Cuts the connection of everything but the control endpoints.
    case down
    /// Waits for `milliseconds` before anything else.
    case latency
    /// Answers a status, header fields and a body of the caller's choice, after executing and storing the key or without.
    case status
    /// Executes, stores the key, and answers the right thing in another way of writing.
    case reshape
    /// Answers an authorization with the id of the last one that succeeded; nothing is executed.
    case sameID = "same-id"

    /// It changes a request and leaves room for another fault.
    var isModifier: Bool { self == .loseKey || self == .latency }

    /// Whether it means anything for this kind of request.
    func applies(to subject: FaultSubject) -> Bool {
        switch self {
        case .down: true
        case .loseKey: subject.storesKey
        case .sameID: subject.operation == .authorize && subject.storesKey && subject.followsAuthorization
        default: subject.operation != nil
        }
    }
}

extension Fault {
    /// The body of `POST /faults` asks for something that does not exist; the text says what.
    struct Invalid: Error, Equatable {
        let message: String
    }

    /// Reads `{"fault","operation","count","probability","milliseconds"}`, of `status` also what ``StatusAnswer`` reads,
    /// of `reshape` also `style`. All but `fault`, `status` and `style` have defaults.
    ///
    /// A misspelt member is refused: a fault that silently differs from the one meant would make a test lie.
    init(json: JSONValue) throws(Invalid) {
        guard let members = json.members else { throw Invalid(message: "the body must be a JSON object") }
        guard case .string(let name)? = members["fault"], let kind = FaultKind(rawValue: name) else {
            throw Invalid(message: "fault must be one of \(FaultKind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        let known = ["fault", "operation", "count", "probability", "milliseconds"] + Self.memberNames(of: kind)
        guard members.keys.allSatisfy(known.contains) else {
            throw Invalid(message: "unknown member; those of \(name) are \(known.joined(separator: ", "))")
        }
        self.kind = kind
        operation = try Self.operation(members["operation"])
        count = try Self.integer(members["count"], in: 1...Int64(Int32.max), "count").map { Int($0) }
        probability = try Self.probability(members["probability"])
        milliseconds = try Self.integer(members["milliseconds"], in: 0...Self.longestWait, "milliseconds")
        if kind == .latency && milliseconds == nil { throw Invalid(message: "latency needs milliseconds") }
        answer = kind == .status ? try StatusAnswer(members: members) : nil
        style = kind == .reshape ? try Self.style(members["style"]) : nil
    }

    /// What a fault of that kind says beyond what all of them do.
    private static func memberNames(of kind: FaultKind) -> [String] {
        switch kind {
        case .status: StatusAnswer.memberNames
        case .reshape: ["style"]
        default: []
        }
    }

    private static func style(_ value: JSONValue?) throws(Invalid) -> AnswerStyle {
        if case .string(let name)? = value, let style = AnswerStyle(rawValue: name) { return style }
        let names = AnswerStyle.allCases.map(\.rawValue).joined(separator: ", ")
        throw Invalid(message: "style must be one of \(names)")
    }

    private static func operation(_ value: JSONValue?) throws(Invalid) -> BankOperation? {
        switch value {
        case nil, .null, .string("any"): return nil
        case .string(let name):
            if let operation = BankOperation(rawValue: name) { return operation }
            fallthrough
        default:
            let names = BankOperation.allCases.map(\.rawValue).joined(separator: ", ")
            throw Invalid(message: "operation must be one of \(names), any")
        }
    }

    static func integer(
        _ value: JSONValue?,
        in range: ClosedRange<Int64>,
        _ name: String
    ) throws(Invalid) -> Int64? {
        switch value {
        case nil, .null: return nil
        case .number(let token):
            if let integer = Int64(token), range.contains(integer) { return integer }
            fallthrough
        default: throw Invalid(message: "\(name) must be an integer from \(range.lowerBound) to \(range.upperBound)")
        }
    }

    private static func probability(_ value: JSONValue?) throws(Invalid) -> Double {
        switch value {
        case nil, .null: return 1
        case .number(let token):
            if let probability = Double(token), probability > 0, probability <= 1 { return probability }
            fallthrough
        default: throw Invalid(message: "probability must be a number above 0 and up to 1")
        }
    }
}

/// The ways in which ``FaultKind/reshape`` writes an answer: each says the same as the usual one, but for `pending`.
enum AnswerStyle: String, CaseIterable, Sendable {
    /// The body compressed, with `Content-Encoding: gzip`.
    case gzip
    /// HTTP/1.0 without a length: the body ends where the connection does.
    case http10
    /// A UTF-8 byte order mark in front of the body.
    case byteOrderMark = "bom"
    /// The currency is `usd`.
    case lowerCurrency = "lower-currency"
    /// The amount is 5000.0.
    case decimalAmount = "decimal-amount"
    /// Currency and times are null.
    case nullFields = "null-fields"
    /// The status word is `pending`, though the command is executed and its key stored.
    case pending
    /// The status word is in capital letters.
    case upperStatus = "upper-status"
}
