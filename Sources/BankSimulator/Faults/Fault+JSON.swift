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
