/// A parameter of a statement, sent in PostgreSQL's binary format under the type its case names.
///
/// The statement sees exactly that type: where the column has another one, cast (`$1::payment_status`). Arrays are of
/// one dimension and may hold nulls; they are what `unnest($1::uuid[], $2::text[])` takes.
package enum PostgresValue: Sendable, Hashable {
    /// Null, of whatever type the statement makes of it.
    case null
    case bool(Bool)
    case int4(Int32)
    case int8(Int64)
    /// `double precision`.
    case float8(Double)
    case text(String)
    /// `bytea`.
    case bytes([UInt8])
    case uuid(PostgresUUID)
    /// `timestamptz`, as microseconds since the Unix epoch.
    case timestamp(Int64)
    /// `jsonb`, as its text. The server checks the syntax.
    case jsonb(String)

    case boolArray([Bool?])
    case int4Array([Int32?])
    case int8Array([Int64?])
    case float8Array([Double?])
    case textArray([String?])
    case bytesArray([[UInt8]?])
    case uuidArray([PostgresUUID?])
    case timestampArray([Int64?])
    case jsonbArray([String?])
}

extension PostgresValue {
    /// The value, or `null` for `nil`.
    package static func optional<Value>(_ value: Value?, _ wrap: (Value) -> PostgresValue) -> PostgresValue {
        value.map(wrap) ?? .null
    }
}

/// Redacted: a parameter may be anything, so it never reaches a log by way of its description.
extension PostgresValue: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "PostgresValue(***)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
