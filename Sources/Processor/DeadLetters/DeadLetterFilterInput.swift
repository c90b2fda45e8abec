import ConfigurationText
import Core

/// The filters as a client or an operator gave them: texts, by the names of the command line
/// (docs/contract.md#command-line).
struct DeadLetterFilterInput: Hashable, Sendable {
    var code: String?
    var message: String?
    var operation: String?
    var merchant: String?
    var payment: String?
    var order: String?
    var olderThan: String?
    var newerThan: String?
    var state: String?

    var isEmpty: Bool { self == DeadLetterFilterInput() }

    /// - Throws: naming the first that is wrong by its name on the command line, without the dashes.
    func filter() throws(InvalidField) -> DeadLetterFilter {
        var filter = DeadLetterFilter()
        if let code {
            guard DeadLetterCode(rawValue: code) != nil else {
                throw InvalidField("code", "must be one of \(DeadLetterCode.names)")
            }
            filter.code = code
        }
        if let message {
            guard DeadLetterOrder.isText(message, length: 1...Self.longestMessage) else {
                throw InvalidField(
                    "message",
                    "must be 1 to \(Self.longestMessage) characters without control characters"
                )
            }
            filter.message = message
        }
        let kinds = OperationKind.allCases.map(\.rawValue).joined(separator: ", ")
        filter.kind = try Self.parsed(operation, "operation", "must be one of \(kinds)", OperationKind.init(rawValue:))
        filter.merchantID = try Self.parsed(
            merchant,
            "merchant",
            "must be 1 to 64 letters, digits, '.', '_' and '-'",
            MerchantID.init
        )
        filter.paymentID = try Self.parsed(payment, "payment", "is not a UUID", PaymentID.init)
        if let order { filter.orderID = try PaymentQueryInput.checked(order, "order") }
        let age = "must be a duration such as 30s, 15m, 24h"
        filter.olderThan = try Self.parsed(olderThan, "older-than", age, DurationText.duration)
        filter.newerThan = try Self.parsed(newerThan, "newer-than", age, DurationText.duration)
        filter.states = try Self.parsed(state, "state", "must be one of \(Self.states)") { text in
            text == Self.all ? Set(DeadLetterState.allCases) : DeadLetterState(rawValue: text).map { [$0] }
        }
        return filter
    }

    /// What a list shows: without a state, what is left to do.
    ///
    /// - Parameter cursor: where the page before ended.
    func page(after cursor: String?) throws(InvalidField) -> DeadLetterFilter {
        var filter = try filter()
        filter.states = filter.states ?? DeadLetterState.unfinished
        filter.before = try Self.parsed(
            cursor,
            "cursor",
            "is not a next_cursor of an earlier page",
            DeadLetterCursor.init
        )
        return filter
    }

    private static let longestMessage = 2_000
    private static let all = "all"
    private static let states = (DeadLetterState.allCases.map(\.rawValue) + [all]).joined(separator: ", ")

    private static func parsed<Value>(
        _ text: String?,
        _ field: String,
        _ problem: String,
        _ parse: (String) -> Value?
    ) throws(InvalidField) -> Value? {
        guard let text else { return nil }
        guard let value = parse(text) else { throw InvalidField(field, problem) }
        return value
    }
}

/// How many dead letters a list shows.
enum DeadLetterLimit {
    /// On a page, at most.
    static let list = 10_000
    /// On a page, where nothing else is asked for.
    static let usual = 100
    static let action = 1_000_000

    static func checked(_ limit: Int?, atMost most: Int) throws(InvalidField) -> Int? {
        guard let limit else { return nil }
        guard (1...most).contains(limit) else { throw InvalidField("limit", "must be an integer from 1 to \(most)") }
        return limit
    }
}
