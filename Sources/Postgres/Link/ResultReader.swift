import CPostgres
import Glibc

/// Reads a `PGresult` while the link holds it.
enum ResultReader {
    /// Fields of an error (`PG_DIAG_…` of postgres_ext.h, which are characters). Detail and hint are not among them: they
    /// may quote data. So may message and context, of which only `SchemaNames` takes what it knows to be names.
    enum Field: UInt8 {
        /// PG_DIAG_SEVERITY_NONLOCALIZED
        case severity = 0x56
        /// PG_DIAG_SQLSTATE
        case sqlState = 0x43
        /// PG_DIAG_MESSAGE_PRIMARY
        case message = 0x4D
        /// PG_DIAG_CONTEXT
        case context = 0x57
        /// PG_DIAG_TABLE_NAME
        case table = 0x74
        /// PG_DIAG_COLUMN_NAME
        case column = 0x63
        /// PG_DIAG_CONSTRAINT_NAME
        case constraint = 0x6E
    }

    static func field(_ result: OpaquePointer, _ field: Field) -> String? {
        PQresultErrorField(result, Int32(field.rawValue)).map { String(cString: $0) }
    }

    /// What the server refused, without data.
    static func failure(_ result: OpaquePointer) -> PostgresError {
        let sqlState = field(result, .sqlState).flatMap { SQLState($0) }
        return PostgresError(
            sqlState == nil ? .connectionLost : .server,
            // Without an SQLSTATE it is of libpq's own making.
            reason: sqlState.map { SchemaNames.subject(of: result, $0) } ?? "the server hung up",
            sqlState: sqlState,
            severity: field(result, .severity).flatMap(PostgresError.Severity.init(rawValue:)),
            constraintName: field(result, .constraint)
        )
    }

    static func isCommit(_ result: OpaquePointer) -> Bool {
        PQcmdStatus(result).map { strcmp($0, "COMMIT") == 0 } ?? false
    }

    /// Copies the rows out.
    static func copy(_ result: OpaquePointer, for statement: PreparedStatement) -> PostgresResult {
        let shape = shape(of: result, known: statement.shape)
        statement.shape = shape
        let columns = Int32(shape.names.count)
        let rows = PQntuples(result)
        var cells: [PostgresResult.Cell] = []
        cells.reserveCapacity(Int(rows) * Int(columns))
        var size = 0
        for row in 0..<rows {
            for column in 0..<columns {
                let isNull = PQgetisnull(result, row, column) != 0
                let length = isNull ? 0 : PQgetlength(result, row, column)
                cells.append(PostgresResult.Cell(offset: size, length: isNull ? -1 : length))
                size += Int(length)
            }
        }
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            if let base = buffer.baseAddress {
                var index = 0
                for row in 0..<rows {
                    for column in 0..<columns {
                        let cell = cells[index]
                        index += 1
                        guard cell.length > 0, let value = PQgetvalue(result, row, column) else { continue }
                        memcpy(base + cell.offset, value, Int(cell.length))
                    }
                }
            }
            count = size
        }
        let affected = PQcmdTuples(result).map { atol($0) } ?? 0
        return PostgresResult(
            storage: PostgresResult.Storage(shape: shape, cells: cells, bytes: bytes),
            count: Int(rows),
            affectedRows: affected
        )
    }

    private static func shape(of result: OpaquePointer, known: ResultShape?) -> ResultShape {
        let count = PQnfields(result)
        guard count > 0 else { return .empty }
        let types = (0..<count).map { PQftype(result, $0) }
        if let known, known.types == types { return known }
        let names = (0..<count).map { PQfname(result, $0).map { String(cString: $0) } ?? "" }
        return ResultShape(names: names, types: types)
    }
}

/// What an error of the server is about, as far as that can be said in names of the schema.
enum SchemaNames {
    /// Conditions whose messages hold nothing but names: of what the statement names and the schema lacks or protects. Values
    /// travel as parameters, never in the text of a statement.
    private static let naming: Set<SQLState> = [
        .undefinedTable, .undefinedColumn, .undefinedFunction, .undefinedSchema, .insufficientPrivilege,
    ]

    private static let function = "PL/pgSQL function "

    /// `nil` where nothing is known that can be no data.
    static func subject(of result: OpaquePointer, _ state: SQLState) -> String? {
        if naming.contains(state) { return ResultReader.field(result, .message) }
        if let subject = ResultReader.field(result, .context).flatMap(subject(inContext:)) { return subject }
        // A constraint is named by itself.
        guard ResultReader.field(result, .constraint) == nil, let table = ResultReader.field(result, .table) else {
            return nil
        }
        return "in table \(table)" + (ResultReader.field(result, .column).map { ", column \($0)" } ?? "")
    }

    /// The function that raised the error, or the relation whose row or lock was waited for: the only parts of a context that
    /// are taken. It may quote statements, so nothing else of it is.
    static func subject(inContext context: String) -> String? {
        for line in context.split(separator: "\n") {
            if line.hasPrefix(function), let end = line.firstRange(of: " line ") {
                return "in function \(line[..<end.lowerBound].dropFirst(function.count).prefix { $0 != "(" })"
            }
            if line.hasPrefix("while "), let start = line.firstRange(of: "in relation \""), line.hasSuffix("\"") {
                return "in table \(line[start.upperBound...].dropLast())"
            }
        }
        return nil
    }
}
