import Core

/// The body of a replay or discard: `{"confirm","dry_run","filter","ids"}`, with `rate` and `stop_at_failures` for a replay and
/// `reason` for a discard (docs/contract.md#admin-api).
struct DeadLetterOrder: Hashable, Sendable {
    let selection: DeadLetterSelection
    let confirmed: Int?
    let isDryRun: Bool
    let reason: String?
    /// Of a replay.
    let pace: ReplayPace
    /// As it was given; `nil` where ids were.
    let filter: JSONValue?

    private static let names: Set<String> = [
        "confirm", "dry_run", "filter", "ids", "rate", "reason", "stop_at_failures",
    ]
    /// Of a filter, and of what belongs to it.
    static let filterNames: Set<String> = [
        "code", "message", "operation", "merchant", "payment", "order", "older-than", "older_than", "newer-than",
        "newer_than",
        "state",
        "limit",
    ]

    init(_ body: [UInt8], _ action: DeadLetterService.Action) throws(InvalidField) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(body)
        } catch {
            throw InvalidField("body", error.description)
        }
        try Self.check(value, "body", Self.names)
        selection = try Self.selection(ids: Self.given(value["ids"]), filter: Self.given(value["filter"]))
        filter = Self.given(value["filter"])
        pace = try Self.pace(value)
        confirmed = try Self.integer(value["confirm"], "confirm")
        switch Self.given(value["dry_run"]) {
        case nil: isDryRun = false
        case .bool(let flag)?: isDryRun = flag
        default: throw InvalidField("dry_run", "must be true or false")
        }
        reason = Self.given(value["reason"])?.string
        guard action != .discard || reason.map({ Self.isText($0, length: 1...1_000) }) == true else {
            throw InvalidField("reason", "must be 1 to 1000 printable characters")
        }
    }

    private static func pace(_ value: JSONValue) throws(InvalidField) -> ReplayPace {
        let rate = try integer(value["rate"], "rate")
        if let rate, !ReplayPace.rates.contains(rate) {
            throw InvalidField("rate", "must be an integer from 1 to \(ReplayPace.rates.upperBound)")
        }
        guard let share = given(value["stop_at_failures"]) else { return ReplayPace(perSecond: rate) }
        guard case .number(let token) = share, let number = Double(token), (0...1).contains(number) else {
            throw InvalidField("stop_at_failures", "must be a number from 0 to 1")
        }
        return ReplayPace(perSecond: rate, failureShare: number)
    }

    static func isText(_ text: String, length: ClosedRange<Int>) -> Bool {
        length.contains(text.unicodeScalars.count)
            && !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }

    private static func selection(ids: JSONValue?, filter: JSONValue?) throws(InvalidField) -> DeadLetterSelection {
        switch (ids, filter) {
        case (.array(let elements)?, nil):
            var ids: [DeadLetterID] = []
            for element in elements {
                guard let id = element.string.flatMap(DeadLetterID.init) else {
                    throw InvalidField("ids", "must be an array of UUIDs")
                }
                ids.append(id)
            }
            return .ids(ids)
        case (nil, let filter?):
            try check(filter, "filter", filterNames)
            let limit = try DeadLetterLimit.checked(
                integer(filter["limit"], "limit"),
                atMost: DeadLetterLimit.action
            )
            for name in filterNames where name != "limit" {
                if let value = given(filter[name]), value.string == nil { throw InvalidField(name, "must be a string") }
            }
            return .matching(try DeadLetterFilterInput { filter[$0]?.string }.filter(), limit: limit)
        case (.some, nil): throw InvalidField("ids", "must be an array of UUIDs")
        case (nil, nil), (.some, .some):
            throw InvalidField("ids, filter", "exactly one of them is needed; an empty filter is all")
        }
    }

    /// A name that is misspelt must not select more than was meant.
    private static func check(_ value: JSONValue, _ field: String, _ names: Set<String>) throws(InvalidField) {
        guard case .object(let members) = value else { throw InvalidField(field, "must be a JSON object") }
        guard members.keys.allSatisfy(names.contains) else {
            throw InvalidField(field, "knows only \(names.sorted().joined(separator: ", "))")
        }
    }

    private static func integer(_ value: JSONValue?, _ field: String) throws(InvalidField) -> Int? {
        guard let value = given(value) else { return nil }
        guard let number = value.integer.flatMap(Int.init(exactly:)) else {
            throw InvalidField(field, "must be an integer")
        }
        return number
    }

    /// Null counts as not given.
    private static func given(_ value: JSONValue?) -> JSONValue? { value?.isNull == false ? value : nil }
}
