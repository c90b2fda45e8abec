import ConsolePages
import Hummingbird

/// docs/asyncapi.yaml and docs/openapi.yaml, as they were when this processor was built, for people.
struct ContractPages: Sendable {
    let console: Console

    static let messages = "/console/reference/messages"
    static let adminAPI = "/console/reference/admin-api"

    /// Read when somebody looks for the first time, and never again: the documents are a part of the program.
    private static let messagesPage = Result { try MessagesPage(yaml: ConsolePages.asyncAPI).page }
    private static let adminAPIPage = Result { try AdminAPIPage(yaml: ConsolePages.openAPI).page }

    func add(to router: Router<AdminContext>) {
        console.get("console/reference/messages", on: router) { _, _ in .page(page(try Self.messagesPage.get())) }
        console.get("console/reference/admin-api", on: router) { _, _ in .page(page(try Self.adminAPIPage.get())) }
    }

    private func page(_ content: ContractPage) -> ConsolePage {
        ConsolePage(title: content.title, section: nil, template: "contract", content: content)
    }
}
