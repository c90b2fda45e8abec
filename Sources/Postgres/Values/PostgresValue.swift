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

extension PostgresValue {
    /// The type the statement is prepared with; 0 lets the server find one for a null.
    var type: UInt32 {
        switch self {
        case .null: 0
        case .bool: BoolFormat.type
        case .int4: Int4Format.type
        case .int8: Int8Format.type
        case .float8: Float8Format.type
        case .text: TextFormat.type
        case .bytes: BytesFormat.type
        case .uuid: UUIDFormat.type
        case .timestamp: TimestampFormat.type
        case .jsonb: JSONBFormat.type
        case .boolArray: BoolFormat.arrayType
        case .int4Array: Int4Format.arrayType
        case .int8Array: Int8Format.arrayType
        case .float8Array: Float8Format.arrayType
        case .textArray: TextFormat.arrayType
        case .bytesArray: BytesFormat.arrayType
        case .uuidArray: UUIDFormat.arrayType
        case .timestampArray: TimestampFormat.arrayType
        case .jsonbArray: JSONBFormat.arrayType
        }
    }

    /// Appends the value's binary form; a null has none.
    func encode(into writer: inout ByteWriter) throws(PostgresError) {
        switch self {
        case .null: break
        case .bool(let value): BoolFormat.encode(value, into: &writer)
        case .int4(let value): Int4Format.encode(value, into: &writer)
        case .int8(let value): Int8Format.encode(value, into: &writer)
        case .float8(let value): Float8Format.encode(value, into: &writer)
        case .text(let value): TextFormat.encode(value, into: &writer)
        case .bytes(let value): BytesFormat.encode(value, into: &writer)
        case .uuid(let value): UUIDFormat.encode(value, into: &writer)
        case .timestamp(let value): try TimestampFormat.encode(value, into: &writer)
        case .jsonb(let value): JSONBFormat.encode(value, into: &writer)
        case .boolArray(let values): try ArrayFormat<BoolFormat>.encode(values, into: &writer)
        case .int4Array(let values): try ArrayFormat<Int4Format>.encode(values, into: &writer)
        case .int8Array(let values): try ArrayFormat<Int8Format>.encode(values, into: &writer)
        case .float8Array(let values): try ArrayFormat<Float8Format>.encode(values, into: &writer)
        case .textArray(let values): try ArrayFormat<TextFormat>.encode(values, into: &writer)
        case .bytesArray(let values): try ArrayFormat<BytesFormat>.encode(values, into: &writer)
        case .uuidArray(let values): try ArrayFormat<UUIDFormat>.encode(values, into: &writer)
        case .timestampArray(let values): try ArrayFormat<TimestampFormat>.encode(values, into: &writer)
        case .jsonbArray(let values): try ArrayFormat<JSONBFormat>.encode(values, into: &writer)
        }
    }
}
