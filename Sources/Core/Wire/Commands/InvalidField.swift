/// What is wrong with a message, and where. It names the field and the rule, never the value: that may be card data.
package struct InvalidField: Error, Hashable, Sendable, CustomStringConvertible {
    package let field: String
    package let problem: String

    package init(_ field: String, _ problem: String) {
        self.field = field
        self.problem = problem
    }

    /// `<field>: <what is wrong>` (docs/contract.md#answerable-or-not).
    package var description: String { "\(field): \(problem)" }
}
