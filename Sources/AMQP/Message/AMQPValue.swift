/// A value in a table of headers or arguments.
///
/// Integers of every width arrive as `int`; only the unsigned 64-bit kind, which RabbitMQ itself never makes, as
/// `unsigned`. A text that is not UTF-8 arrives as `bytes`.
package indirect enum AMQPValue: Sendable, Equatable {
    case bool(Bool)
    case int(Int64)
    case unsigned(UInt64)
    case double(Double)
    case string(String)
    case bytes([UInt8])
    /// Seconds since 1970.
    case timestamp(UInt64)
    /// `value` × 10^-`scale`.
    case decimal(scale: UInt8, value: UInt32)
    case array([AMQPValue])
    case table(AMQPTable)
    case void
}

extension AMQPValue {
    package var stringValue: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    package var intValue: Int64? {
        switch self {
        case .int(let value): value
        case .unsigned(let value): Int64(exactly: value)
        default: nil
        }
    }

    package var boolValue: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    package var arrayValue: [AMQPValue]? {
        guard case .array(let value) = self else { return nil }
        return value
    }

    package var tableValue: AMQPTable? {
        guard case .table(let value) = self else { return nil }
        return value
    }
}

extension AMQPValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .int(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}
