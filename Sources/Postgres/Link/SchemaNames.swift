import CPostgres

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
