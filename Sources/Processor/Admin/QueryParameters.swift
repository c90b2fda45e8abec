import Core
import HummingbirdCore

/// The parameters of a request, all of them known: one that is misspelt must not show more than was meant.
struct QueryParameters {
    private let values: [String: String]

    /// - Throws: `AdminError` with 400, for one that is unknown or there twice.
    init(_ uri: URI, knowing names: [String]) throws {
        var values: [String: String] = [:]
        for (name, value) in uri.queryParameters {
            let name = String(name)
            guard names.contains(name) else {
                let allowed = names.isEmpty ? "there is none here" : "known are \(names.joined(separator: ", "))"
                throw AdminError.invalid(InvalidField("query", "has an unknown parameter; \(allowed)"))
            }
            guard values.updateValue(String(value), forKey: name) == nil else {
                throw AdminError.invalid(InvalidField(name, "is given twice"))
            }
        }
        self.values = values
    }

    subscript(name: String) -> String? { values[name] }
}
