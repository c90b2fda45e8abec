/// Why a text is not JSON. It says nothing of the text itself, which may hold card data.
package enum JSONError: Error, Equatable, CustomStringConvertible {
    case unexpectedEnd, malformed, notUTF8, duplicateName, tooDeep, trailingContent

    /// Completes the sentence "the body …".
    package var description: String {
        switch self {
        case .unexpectedEnd: "ends in the middle of a JSON value"
        case .malformed: "is not valid JSON"
        case .notUTF8: "is not valid UTF-8"
        case .duplicateName: "has the same name twice in one JSON object"
        case .tooDeep: "is nested more than \(JSONParser.maximumDepth) levels deep"
        case .trailingContent: "has something after its JSON value"
        }
    }
}
