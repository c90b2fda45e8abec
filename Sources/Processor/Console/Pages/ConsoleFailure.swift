import Core
import HTTPTypes

/// Why a page is not shown, for its reader.
struct ConsoleFailure: Error, Hashable {
    let status: HTTPResponse.Status
    let title: String
    let text: String

    init(_ status: HTTPResponse.Status, _ title: String, _ text: String) {
        self.status = status
        self.title = title
        self.text = text
    }

    init(_ error: AdminError) {
        self.init(error.status, error.status.reasonPhrase, error.message)
    }

    static func notFound(_ what: String) -> ConsoleFailure {
        ConsoleFailure(.notFound, "Not found", "There is no such \(what).")
    }

    static func invalid(_ problem: InvalidField) -> ConsoleFailure {
        ConsoleFailure(.badRequest, "That cannot be read", problem.description)
    }

    static let readOnly = ConsoleFailure(
        .forbidden,
        "Not allowed",
        "Your token is one to look with: to act, one with the role operate is needed."
    )
    static let otherForm = ConsoleFailure(
        .forbidden,
        "Not taken",
        "The form is not one of this visit. Go back, reload the page and try again."
    )
}
