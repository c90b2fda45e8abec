import Core
import HTTPTypes
import Hummingbird

extension Request {
    /// Who acts, for the audit (docs/contract.md#admin-api).
    ///
    /// - Throws: `AdminError` where the header is no name.
    func operatorName() throws -> String {
        guard let name = HTTPField.Name("X-Operator"), let actor = headers[name] else { return "admin" }
        guard DeadLetterOrder.isText(actor, length: 1...128) else {
            throw AdminError.invalid(InvalidField("X-Operator", "must be 1 to 128 printable characters"))
        }
        return actor
    }
}
