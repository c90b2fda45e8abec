import ConsolePages
import Hummingbird

/// The runbooks, as pages that work where nothing else does.
struct Guides: Sendable {
    private let pages: [String: String]

    init() {
        pages = ConsolePages.guides.mapValues { MarkdownText($0, links: Self.target).html }
    }

    /// By its name, as HTML.
    func html(_ name: String) -> String? { pages[name] }

    /// - Parameter heading: its anchor.
    static func link(_ name: String, _ heading: String) -> String { "/console/guides/\(name)#\(heading)" }

    /// Where a link of a page leads; `nil`: to a page that is not here.
    static func target(_ link: String) -> String? {
        if link.hasPrefix("#") || link.hasPrefix("https://") { return link }
        let parts = link.split(separator: "#", maxSplits: 1)
        guard let file = parts.first, file.hasSuffix(".md"), ["runbook.md", "operations.md"].contains(file) else {
            return nil
        }
        let path = "/console/guides/\(file.dropLast(3))"
        return parts.count == 2 ? "\(path)#\(parts[1])" : path
    }
}

struct GuidePages: Sendable {
    let console: Console

    func add(to router: Router<AdminContext>) {
        console.get("console/guides/:name", on: router) { _, parameters in
            guard let name = parameters.get("name"), let html = console.guides.html(name) else {
                throw ConsoleFailure.notFound("page")
            }
            return .page(
                ConsolePage(
                    title: name == "runbook" ? "Runbook" : "Operations",
                    section: nil,
                    template: "guide",
                    content: Content(text: html)
                )
            )
        }
        console.get("console/reference", on: router) { _, _ in
            .page(
                ConsolePage(
                    title: "Queues and codes",
                    section: nil,
                    template: "reference",
                    content: ReferenceContent(console.parts)
                )
            )
        }
    }

    private struct Content: Sendable { let text: String }
}
