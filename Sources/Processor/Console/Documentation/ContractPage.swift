import ConsolePages
import Hummingbird

/// A document of the contract as a page: groups of entries, each with facts, tables and examples.
struct ContractPage: Sendable {
    let title: String
    /// As HTML.
    let about: String
    let groups: [Group]

    struct Group: Sendable {
        let anchor: String
        let title: String
        let entries: [Entry]
    }

    struct Entry: Sendable {
        let anchor: String
        let name: String
        let title: String
        /// As HTML.
        let about: String
        let facts: [Fact]
        let hasFacts: Bool
        let tables: [ContractTable]
        let examples: [Example]

        init(
            anchor: String,
            name: String,
            title: String = "",
            about: String = "",
            facts: [Fact] = [],
            tables: [ContractTable] = [],
            examples: [Example] = []
        ) {
            (self.anchor, self.name, self.title, self.about) = (anchor, name, title, about)
            (self.facts, self.tables, self.examples) = (facts, tables, examples)
            hasFacts = !facts.isEmpty
        }
    }

    struct Fact: Sendable {
        let name: String
        let html: String

        init(_ name: String, _ html: String) { (self.name, self.html) = (name, html) }

        /// Nothing where there is no value.
        init?(_ name: String, optional html: String?) {
            guard let html, !html.isEmpty else { return nil }
            self.init(name, html)
        }
    }

    struct Example: Sendable {
        let name: String
        let text: String
    }

    static func schemas(_ document: ContractDocument) -> Group {
        let schemas = document.root.at("components/schemas")?.members ?? []
        return Group(
            anchor: "schemas",
            title: "Schemas",
            entries: schemas.map { schema in
                Entry(
                    anchor: "schemas-\(schema.name)",
                    name: schema.name,
                    tables: [ContractTable("Schema", schema.value, document)]
                )
            }
        )
    }

    /// The same words in both documents.
    static func securitySchemes(_ document: ContractDocument) -> Group {
        let schemes = document.root.at("components/securitySchemes")?.members ?? []
        return Group(
            anchor: "security",
            title: "Security",
            entries: schemes.map { scheme in
                Entry(
                    anchor: "securitySchemes-\(scheme.name)",
                    name: scheme.name,
                    about: ContractDocument.html(scheme.value["description"]?.text),
                    facts: facts(scheme.value, except: ["description"])
                )
            }
        )
    }

    /// What has no place of its own on the page.
    static func facts(_ value: ContractValue, except known: Set<String>) -> [Fact] {
        value.members.filter { !known.contains($0.name) }.map { Fact($0.name, ContractDocument.brief($0.value)) }
    }

    static func about(_ document: ContractDocument) -> String {
        let version = document.root.at("info/version")?.text ?? ""
        return ContractDocument.html(document.root.at("info/description")?.text)
            + "<p>Version \(ContractDocument.code(version)) of the document \(ContractDocument.line(document.root.at("info/title")?.text)).</p>"
    }
}

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
