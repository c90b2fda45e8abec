extension PostgresRow {
    package func bool(_ column: some PostgresColumnReference) throws(PostgresError) -> Bool {
        try required(position(of: column), BoolFormat.self)
    }

    package func optionalBool(_ column: some PostgresColumnReference) throws(PostgresError) -> Bool? {
        try optional(position(of: column), BoolFormat.self)
    }

    /// `integer` or `smallint`.
    package func int32(_ column: some PostgresColumnReference) throws(PostgresError) -> Int32 {
        try required(position(of: column), Int4Format.self)
    }

    package func optionalInt32(_ column: some PostgresColumnReference) throws(PostgresError) -> Int32? {
        try optional(position(of: column), Int4Format.self)
    }

    /// `bigint` or a smaller integer.
    package func int64(_ column: some PostgresColumnReference) throws(PostgresError) -> Int64 {
        try required(position(of: column), Int8Format.self)
    }

    package func optionalInt64(_ column: some PostgresColumnReference) throws(PostgresError) -> Int64? {
        try optional(position(of: column), Int8Format.self)
    }

    /// `double precision`.
    package func double(_ column: some PostgresColumnReference) throws(PostgresError) -> Double {
        try required(position(of: column), Float8Format.self)
    }

    package func optionalDouble(_ column: some PostgresColumnReference) throws(PostgresError) -> Double? {
        try optional(position(of: column), Float8Format.self)
    }

    /// `text`, `varchar`, `json`, or an enum of the schema.
    package func text(_ column: some PostgresColumnReference) throws(PostgresError) -> String {
        try required(position(of: column), TextFormat.self)
    }

    package func optionalText(_ column: some PostgresColumnReference) throws(PostgresError) -> String? {
        try optional(position(of: column), TextFormat.self)
    }

    /// `bytea`.
    package func bytes(_ column: some PostgresColumnReference) throws(PostgresError) -> [UInt8] {
        try required(position(of: column), BytesFormat.self)
    }

    package func optionalBytes(_ column: some PostgresColumnReference) throws(PostgresError) -> [UInt8]? {
        try optional(position(of: column), BytesFormat.self)
    }

    package func uuid(_ column: some PostgresColumnReference) throws(PostgresError) -> PostgresUUID {
        try required(position(of: column), UUIDFormat.self)
    }

    package func optionalUUID(_ column: some PostgresColumnReference) throws(PostgresError) -> PostgresUUID? {
        try optional(position(of: column), UUIDFormat.self)
    }

    /// `timestamptz`, in microseconds since the Unix epoch; an infinite one is an error.
    package func timestamp(_ column: some PostgresColumnReference) throws(PostgresError) -> Int64 {
        try required(position(of: column), TimestampFormat.self)
    }

    package func optionalTimestamp(_ column: some PostgresColumnReference) throws(PostgresError) -> Int64? {
        try optional(position(of: column), TimestampFormat.self)
    }

    /// `jsonb` or `json`, as its text.
    package func jsonb(_ column: some PostgresColumnReference) throws(PostgresError) -> String {
        try required(position(of: column), JSONBFormat.self)
    }

    package func optionalJSONB(_ column: some PostgresColumnReference) throws(PostgresError) -> String? {
        try optional(position(of: column), JSONBFormat.self)
    }
}

extension PostgresRow {
    /// A text that is one of the names that the caller knows.
    ///
    /// - Throws: `decoding` where `parse` gives nothing: somebody else's version wrote it.
    package func parsed<Value>(
        _ column: some PostgresColumnReference,
        _ parse: (String) -> Value?
    ) throws(PostgresError) -> Value {
        guard let value = parse(try text(column)) else {
            throw PostgresError(
                .decoding,
                reason: "column \(column.label(in: storage.shape.names)) holds an unknown name"
            )
        }
        return value
    }
}

/// Arrays of one dimension; their elements may be null.
extension PostgresRow {
    package func boolArray(_ column: some PostgresColumnReference) throws(PostgresError) -> [Bool?] {
        try requiredArray(position(of: column), BoolFormat.self)
    }

    package func optionalBoolArray(_ column: some PostgresColumnReference) throws(PostgresError) -> [Bool?]? {
        try optionalArray(position(of: column), BoolFormat.self)
    }

    package func int32Array(_ column: some PostgresColumnReference) throws(PostgresError) -> [Int32?] {
        try requiredArray(position(of: column), Int4Format.self)
    }

    package func optionalInt32Array(_ column: some PostgresColumnReference) throws(PostgresError) -> [Int32?]? {
        try optionalArray(position(of: column), Int4Format.self)
    }

    package func int64Array(_ column: some PostgresColumnReference) throws(PostgresError) -> [Int64?] {
        try requiredArray(position(of: column), Int8Format.self)
    }

    package func optionalInt64Array(_ column: some PostgresColumnReference) throws(PostgresError) -> [Int64?]? {
        try optionalArray(position(of: column), Int8Format.self)
    }

    package func doubleArray(_ column: some PostgresColumnReference) throws(PostgresError) -> [Double?] {
        try requiredArray(position(of: column), Float8Format.self)
    }

    package func optionalDoubleArray(_ column: some PostgresColumnReference) throws(PostgresError) -> [Double?]? {
        try optionalArray(position(of: column), Float8Format.self)
    }

    package func textArray(_ column: some PostgresColumnReference) throws(PostgresError) -> [String?] {
        try requiredArray(position(of: column), TextFormat.self)
    }

    package func optionalTextArray(_ column: some PostgresColumnReference) throws(PostgresError) -> [String?]? {
        try optionalArray(position(of: column), TextFormat.self)
    }

    package func bytesArray(_ column: some PostgresColumnReference) throws(PostgresError) -> [[UInt8]?] {
        try requiredArray(position(of: column), BytesFormat.self)
    }

    package func optionalBytesArray(_ column: some PostgresColumnReference) throws(PostgresError) -> [[UInt8]?]? {
        try optionalArray(position(of: column), BytesFormat.self)
    }

    package func uuidArray(_ column: some PostgresColumnReference) throws(PostgresError) -> [PostgresUUID?] {
        try requiredArray(position(of: column), UUIDFormat.self)
    }

    package func optionalUUIDArray(_ column: some PostgresColumnReference) throws(PostgresError) -> [PostgresUUID?]? {
        try optionalArray(position(of: column), UUIDFormat.self)
    }

    package func timestampArray(_ column: some PostgresColumnReference) throws(PostgresError) -> [Int64?] {
        try requiredArray(position(of: column), TimestampFormat.self)
    }

    package func optionalTimestampArray(_ column: some PostgresColumnReference) throws(PostgresError) -> [Int64?]? {
        try optionalArray(position(of: column), TimestampFormat.self)
    }

    package func jsonbArray(_ column: some PostgresColumnReference) throws(PostgresError) -> [String?] {
        try requiredArray(position(of: column), JSONBFormat.self)
    }

    package func optionalJSONBArray(_ column: some PostgresColumnReference) throws(PostgresError) -> [String?]? {
        try optionalArray(position(of: column), JSONBFormat.self)
    }
}
