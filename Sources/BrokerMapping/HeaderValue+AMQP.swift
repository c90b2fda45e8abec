package import AMQP
package import Core

extension HeaderValue {
    /// A text that is not UTF-8 arrives as bytes, and so is `other`: no rule takes it for a string.
    package init(_ value: AMQPValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .bool(let flag): self = .bool(flag)
        case .int(let number): self = .integer(number)
        case .unsigned(let number): self = Int64(exactly: number).map(HeaderValue.integer) ?? .other
        case .double, .bytes, .timestamp, .decimal, .array, .table, .void: self = .other
        }
    }
}

extension AMQPValue {
    /// `nil` for `other`, which says that there is a value but not which.
    package init?(_ value: HeaderValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .integer(let number): self = .int(number)
        case .bool(let flag): self = .bool(flag)
        case .other: return nil
        }
    }
}

extension AMQPTable {
    /// The arguments of an exchange or a queue.
    package init(_ arguments: [String: HeaderValue]) {
        self.init(arguments.compactMap { name, value in AMQPValue(value).map { (key: name, value: $0) } })
    }
}
