import Core
import HTTPTypes
import Hummingbird

extension Request {
    /// Who acts, for the audit (docs/contract.md#admin-api): the name of the token. Without tokens the header says it.
    ///
    /// - Throws: `AdminError` where the header is no name.
    func operatorName(_ context: AdminContext) throws -> String {
        if let actor = context.actor { return actor }
        guard let name = HTTPField.Name("X-Operator"), let actor = headers[name] else { return AdminToken.admin }
        guard DeadLetterOrder.isText(actor, length: 1...128) else {
            throw AdminError.invalid(InvalidField("X-Operator", "must be 1 to 128 printable characters"))
        }
        return actor
    }
}
