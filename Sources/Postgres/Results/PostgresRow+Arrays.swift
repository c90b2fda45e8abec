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
