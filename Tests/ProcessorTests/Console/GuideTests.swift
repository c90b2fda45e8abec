import ConsolePages
import Core
import Testing

@testable import Processor

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
