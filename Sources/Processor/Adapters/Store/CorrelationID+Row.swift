import Core
import Postgres

extension CorrelationID {
    /// For the text column: UTF-8 without a NUL, which PostgreSQL cannot hold; `nil` for what goes into the column of bytes.
    var textColumn: String? {
        guard let text, !text.utf8.contains(0) else { return nil }
        return text
    }

    /// For the column of bytes: what the text column cannot hold.
    var bytesColumn: [UInt8]? { textColumn == nil ? bytes : nil }

    /// From the two columns of a row.
    static func from(
        _ row: PostgresRow,
        text: Int,
        bytes: Int
    ) throws(PostgresError) -> CorrelationID? {
        if let text = try row.optionalText(text) { return CorrelationID(text) }
        return try row.optionalBytes(bytes).map(CorrelationID.init(bytes:))
    }
}
