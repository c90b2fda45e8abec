/// A statement with its parameters, `$1` and so on in the text.
///
/// The text is the key under which the connection keeps it prepared: values belong into the parameters.
package struct PostgresStatement: Sendable {
    package let sql: String
    package let parameters: [PostgresValue]

    package init(_ sql: String, _ parameters: [PostgresValue] = []) {
        self.sql = sql
        self.parameters = parameters
    }
}
