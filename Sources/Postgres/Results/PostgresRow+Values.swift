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
