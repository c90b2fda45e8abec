import ConsolePages
import Crypto
import HTTPTypes
import Hummingbird
import Mustache
import Program

/// Puts pages together.
struct ConsoleRenderer: Sendable {
    private let library: MustacheLibrary
    /// Names what the style and the script are, so that a browser asks for new ones.
    let assets: String

    /// - Throws: where a template cannot be read.
    init() throws {
        library = MustacheLibrary(
            templates: try ConsolePages.templates.mapValues { try MustacheTemplate(string: $0) }
        )
        let digest = SHA256.hash(data: ConsolePages.style + ConsolePages.script)
        assets = digest.prefix(6).map { String($0, radix: 16) }.joined()
    }

    /// Who looks, and what is around the content.
    struct Frame: Sendable {
        let session: ConsoleSession?
        let canSignOut: Bool
        let notice: ConsoleNotice?
        let badges: [ConsoleSection: ConsoleBadge]
    }

    func html(_ page: ConsolePage, _ frame: Frame) -> String {
        let layout = Layout(
            title: page.title,
            assets: assets,
            version: ProductVersion.current,
            session: frame.session.map { session in
                Layout.Session(
                    name: session.name,
                    role: session.role.rawValue,
                    form: session.formToken,
                    canSignOut: frame.canSignOut,
                    sections: ConsoleSection.allCases.map { section in
                        let badge = frame.badges[section].flatMap { $0.count > 0 ? $0 : nil }
                        return Layout.Section(
                            name: section.rawValue,
                            path: section.path,
                            isCurrent: section == page.section,
                            count: badge.map { CountText.short($0.count) },
                            tone: badge?.isDue == true ? "act" : nil
                        )
                    }
                )
            },
            notice: frame.notice.map { Layout.Notice(class: $0.kind.rawValue, text: $0.text) },
            content: fragment(page.template, page.content)
        )
        return fragment("layout", layout)
    }

    /// A part of a page.
    func fragment(_ template: String, _ content: any Sendable) -> String {
        library.render(content, withTemplate: template) ?? ""
    }

    private struct Layout {
        let title: String
        let assets: String
        let version: String
        let session: Session?
        let notice: Notice?
        let content: String

        struct Session {
            let name: String
            let role: String
            let form: String
            let canSignOut: Bool
            let sections: [Section]
        }

        struct Section {
            let name: String
            let path: String
            let isCurrent: Bool
            let count: String?
            let tone: String?
        }

        struct Notice {
            let `class`: String
            let text: String
        }
    }
}

/// Style, script and icon, out of the binary.
struct AssetRoutes: Sendable {
    func add(to router: Router<AdminContext>) {
        router.get("console/assets/style.css") { _, _ in
            Response(type: "text/css; charset=utf-8", bytes: ConsolePages.style)
        }
        router.get("console/assets/script.js") { _, _ in
            Response(type: "text/javascript; charset=utf-8", bytes: ConsolePages.script)
        }
        router.get("console/assets/icon.svg") { _, _ in Response(type: "image/svg+xml", bytes: ConsolePages.icon) }
    }
}
