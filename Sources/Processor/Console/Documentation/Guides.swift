import ConsolePages
import Core
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

/// Exchanges, queues, messages and codes, from the code itself. `ContractPages` has the whole contract.
struct ReferenceContent: Sendable {
    let objects: [Line]
    let messages: [Line]
    let codes: [Line]
    let failures: [Line]

    struct Line: Sendable {
        let name: String
        let kind: String
        var bound = ""
    }

    init(_ parts: ConsoleParts) {
        let topology = Topology(names: parts.names, partitions: parts.partitions)
        objects =
            topology.exchanges.map { Line(name: $0.name, kind: "exchange, \($0.type)") }
            + topology.queues.map { queue in
                let bindings = topology.bindings.filter { $0.queue == queue.name }
                let bound = bindings.map { $0.key.isEmpty ? $0.exchange : "\($0.exchange), key \($0.key)" }
                return Line(name: queue.name, kind: "queue, quorum", bound: bound.joined(separator: "; "))
            }
        messages =
            OperationKind.allCases.map { Line(name: "payment.\($0.rawValue).v1", kind: "command") }
            + OperationKind.allCases.map { Line(name: "payment.\($0.rawValue).result.v1", kind: "reply") }
            + PaymentEvent.Name.allCases.map { event in
                Line(name: event.type, kind: "event, routing key \(event.routingKey) of \(parts.names.eventsExchange)")
            }
        codes =
            RejectionCode.allCases.map { code in
                Line(
                    name: code.rawValue,
                    kind: "the processor: \(code.explanation)",
                    bound: code.isRetryable ? "may be sent again" : ""
                )
            } + [
                Line(name: "…", kind: "the bank's own codes, unchanged", bound: "insufficient_funds may be sent again")
            ]
        failures = DeadLetterCode.allCases.map { Line(name: $0.rawValue, kind: $0.meaning) }
    }
}
