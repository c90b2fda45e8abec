import ConfigurationText
import Core

/// The filters as a client or an operator gave them: texts, by the names of the command line
/// (docs/contract.md#command-line).
struct DeadLetterFilterInput: Hashable, Sendable {
    var code: String?
    var operation: String?
    var merchant: String?
    var payment: String?
    var olderThan: String?
    var newerThan: String?
    var state: String?

    var isEmpty: Bool { self == DeadLetterFilterInput() }

    /// - Throws: naming the first that is wrong by its name on the command line, without the dashes.
    func filter() throws(InvalidField) -> DeadLetterFilter {
        var filter = DeadLetterFilter()
        if let code {
            guard (1...128).contains(code.utf8.count), code.utf8.allSatisfy(Self.isCodeByte) else {
                throw InvalidField("code", "must be 1 to 128 characters of a-z 0-9 _, such as delivery_limit")
            }
            filter.code = code
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
        let age = "must be a duration such as 30s, 15m, 24h"
        filter.olderThan = try Self.parsed(olderThan, "older-than", age, DurationText.duration)
        filter.newerThan = try Self.parsed(newerThan, "newer-than", age, DurationText.duration)
        let states = DeadLetterState.allCases.map(\.rawValue).joined(separator: ", ")
        filter.states = try Self.parsed(state, "state", "must be one of \(states)") { text in
            DeadLetterState(rawValue: text).map { [$0] }
        }
        return filter
    }

    /// Of the codes of the processor, and of what the broker calls its reasons.
    private static func isCodeByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
        default: false
        }
    }

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
    /// At most, and where nothing else is asked for: there are no pages.
    static let list = 10_000
    static let action = 1_000_000

    static func checked(_ limit: Int?, atMost most: Int) throws(InvalidField) -> Int? {
        guard let limit else { return nil }
        guard (1...most).contains(limit) else { throw InvalidField("limit", "must be an integer from 1 to \(most)") }
        return limit
    }
}
