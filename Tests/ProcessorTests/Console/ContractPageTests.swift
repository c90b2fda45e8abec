import ConsolePages
import Core
import TestSupport
import Testing

@testable import Processor

/// Nothing of docs/asyncapi.yaml and docs/openapi.yaml is missing on the pages that show them.
@Suite("The contract in the console", .timeLimit(.minutes(3)))
struct ContractPageTests {
    enum Document: String, CaseIterable, Sendable {
        case messages = "asyncapi"
        case adminAPI = "openapi"

        var yaml: String { ScratchDirectory.read("\(DocumentationPage.root)/docs/\(rawValue).yaml") }

        func html() throws -> String {
            let page = self == .messages ? try MessagesPage(yaml: yaml).page : try AdminAPIPage(yaml: yaml).page
            return try ConsoleRenderer().fragment("contract", page)
        }
    }

    @Test("what is compiled in are the documents of the repository")
    func compiledIn() {
        #expect(ConsolePages.asyncAPI == Document.messages.yaml)
        #expect(ConsolePages.openAPI == Document.adminAPI.yaml)
        #expect(ConsolePages.openAPI.count > 10_000)
    }

    @Test("every link within a page leads somewhere, and no name is there twice", arguments: Document.allCases)
    func links(document: Document) throws {
        let html = try document.html()
        let anchors = html.matches(of: #/ id="([^"]+)"/#).map { String($0.output.1) }
        #expect(Set(anchors).count == anchors.count)
        let links = html.matches(of: /href="#([^"]+)"/).map { String($0.output.1) }
        #expect(links.count > 100)
        for link in Set(links) { #expect(anchors.contains(link), "\(link)") }
    }

    @Test("every server, channel, operation, message, schema and object at the broker has its entry")
    func messages() throws {
        let html = try Document.messages.html()
        let root = try ContractValue(yaml: Document.messages.yaml)
        let groups = [
            "servers", "channels", "operations", "components/messages", "components/schemas", "components/parameters",
            "components/securitySchemes",
        ]
        for group in groups {
            let members = root.at(group)?.members ?? []
            #expect(!members.isEmpty, "\(group)")
            for member in members {
                let anchor = "\(group.split(separator: "/").last ?? "")-\(member.name)"
                #expect(html.contains("<h3 id=\"\(anchor)\"><code>\(member.name)</code>"), "\(anchor)")
            }
        }
        for name in ["exchanges", "queues"] {
            for object in root.at("x-topology/\(name)")?.members ?? [] {
                #expect(html.contains("class=\"id\">\(object.name)</th>"), "\(object.name)")
            }
        }
    }

    @Test("every method of every path has its entry, with its parameters, responses and the role that it needs")
    func paths() throws {
        let html = try Document.adminAPI.html()
        let root = try ContractValue(yaml: Document.adminAPI.yaml)
        let document = try ContractDocument(yaml: Document.adminAPI.yaml)
        var count = 0
        for path in root["paths"]?.members ?? [] {
            for method in path.value.members where method.name != "parameters" {
                count += 1
                let name = "\(method.name.uppercased()) \(path.name)"
                let article = try #require(
                    html.split(separator: "<article").first { $0.contains("<code>\(name)</code>") },
                    "\(name)"
                )
                let parameters = [path.value, method.value].flatMap { $0["parameters"]?.elements ?? [] }
                for parameter in parameters.map(document.resolved) {
                    let word = try #require(parameter["name"]?.text)
                    #expect(article.contains("class=\"id\">\(word)</th>"), "\(name): \(word)")
                }
                for response in method.value["responses"]?.members ?? [] {
                    #expect(article.contains("class=\"id\">\(response.name)</th>"), "\(name): \(response.name)")
                }
                let isPublic = method.value["security"]?.elements == [.members([])]
                let role = isPublic ? "none" : method.name == "get" ? "<code>read</code>" : "<code>operate</code>"
                #expect(article.contains("<dt>Role</dt><dd>\(role)"), "\(name)")
            }
        }
        #expect(count > 10)
    }

    @Test("every field, and every word of the document, is on its page", arguments: Document.allCases)
    func words(document: Document) throws {
        let html = try document.html()
        let shown = Self.plain(html)
        var words: [String] = []
        Self.collect(try ContractValue(yaml: document.yaml), under: "", into: &words)
        #expect(words.count > 400)
        let missing = Set(words).filter { !shown.contains(Self.plain($0)) }
        #expect(missing.isEmpty)
    }

    /// What a reader must find: the text of every scalar, and the names of fields and headers.
    private static func collect(_ value: ContractValue, under name: String, into words: inout [String]) {
        // The version of the format, and what only generators use.
        if ["asyncapi", "openapi", "defaultContentType", "deliveryMode"].contains(name) { return }
        switch value {
        case .members(let members):
            // A field may have the name `headers`, too.
            let isSchema = value["type"] != nil
            if ["properties", "headers", "variables", "x-metrics", "arguments"].contains(name), !isSchema {
                words += members.map(\.name).filter { $0 != "$ref" }
            }
            for member in members where member.name != "$ref" {
                collect(member.value, under: member.name, into: &words)
            }
        case .elements(let elements): for element in elements { collect(element, under: name, into: &words) }
        case .scalar(let text, _):
            if ["description", "summary", "title"].contains(name) {
                words.append(MarkdownText(text, links: Guides.target).html)
            } else if !["true", "false", "null", ""].contains(text) {
                words.append(name == "pattern" ? MarkdownText.escaped(text) : text)
            }
        }
    }

    /// Without tags and with single blanks, as it is read.
    private static func plain(_ html: String) -> String {
        let text = html.replacing(/<[^<>]*>/, with: " ").replacing("&lt;", with: "<").replacing("&gt;", with: ">")
            .replacing("&quot;", with: "\"").replacing("&#39;", with: "'").replacing("\\\"", with: "\"")
            .replacing("&amp;", with: "&")
        return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    @Test("a read token sees both, from a link that is on every page")
    func pages() async throws {
        let scene = ConsoleScene()
        try await scene.withServer { port in
            let rob = scene.visitor("rob", .read, port: port)
            let overview = try await rob.get("/console").body
            for path in [ContractPages.messages, ContractPages.adminAPI] {
                #expect(overview.contains("href=\"\(path)\""))
                #expect(try await rob.get("/console/reference").body.components(of: "href=\"\(path)\"") == 2)
                let page = try await rob.get(path)
                #expect(page.status == 200)
                #expect(page.body.contains("<h2 id=\"contents\">"))
            }
        }
    }
}

extension String {
    fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}

@Suite("The runbooks in the console", .timeLimit(.minutes(1)))
struct GuideTests {
    private let guides = Guides()

    @Test("Markdown as our pages use it")
    func markdown() {
        let page = """
            # A `title` & more

            Some *text* with **weight**, `a|b` and
            [a link](operations.md#alerts), [another](contract.md).

            <!-- nobody sees this -->
            - one
              goes on
            - two
              1. inner

            | A | B |
            | --- | --- |
            | `x\\|y` | <b> |

            ```sh
            echo '<p>'
            ```
            """
        #expect(
            MarkdownText(page, links: Guides.target).html == """
                <h1 id="a-title--more">A <code>title</code> &amp; more</h1>
                <p>Some <em>text</em> with <strong>weight</strong>, <code>a|b</code> and \
                <a href="/console/guides/operations#alerts">a link</a>, another.</p>
                <ul>
                <li>one goes on</li>
                <li>two<ol>
                <li>inner</li>
                </ol>
                </li>
                </ul>
                <table><thead><tr><th scope="col">A</th><th scope="col">B</th></tr>
                </thead>
                <tbody><tr><td><code>x|y</code></td><td>&lt;b&gt;</td></tr>
                </tbody></table>
                <pre tabindex="0"><code>echo &#39;&lt;p&gt;&#39;
                </code></pre>

                """
        )
    }

    @Test("every heading that the console links is there")
    func headings() throws {
        var links = Set(AlarmKind.allCases.map(\.runbook))
        for template in ConsolePages.templates.values {
            links.formUnion(template.matches(of: /\/console\/guides\/[\w#-]+/).map { String($0.output) })
        }
        #expect(links.count > 5)
        for link in links {
            let parts = link.dropFirst("/console/guides/".count).split(separator: "#")
            let html = try #require(guides.html(String(parts[0])), "\(link)")
            if parts.count == 2 { #expect(html.contains("id=\"\(parts[1])\""), "\(link)") }
        }
    }

    @Test("the links within the runbooks lead to headings that are there", arguments: ["runbook", "operations"])
    func inner(name: String) throws {
        let html = try #require(guides.html(name))
        for match in html.matches(of: /href="(\/console\/guides\/(\w+))?#([\w-]+)"/) {
            let page = match.output.2.map(String.init) ?? name
            let target = try #require(guides.html(page))
            #expect(target.contains("id=\"\(match.output.3)\""), "\(match.output.0)")
        }
        #expect(!html.contains("<!--"))
        #expect(html.contains("<table>") || name == "runbook")
    }
}
