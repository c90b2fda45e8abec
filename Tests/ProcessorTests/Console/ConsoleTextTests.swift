import Core
import HTTPTypes
import Testing

@testable import Processor

@Suite("Words, links and forms of the console", .timeLimit(.minutes(1)))
struct ConsoleTextTests {
    @Test(
        "after signing in a person is sent to a page of the console, and nowhere else",
        arguments: [
            ("/console/payments?id=a%20b", "/console/payments?id=a%20b"), ("/console", "/console"),
            (nil, "/console"), ("https://evil.example/", "/console"), ("//evil.example", "/console"),
            ("/console/../metrics\r\nX: y", "/console"), ("/consoles", "/console"), ("/payments", "/console"),
            ("/console/sign-out", "/console"), ("/console/sign-in?next=/console", "/console"),
            ("/console\\evil", "/console"),
        ] as [(String?, String)]
    )
    func destinations(asked: String?, expected: String) {
        #expect(ConsolePath.destination(asked) == expected)
    }

    @Test("a link holds any value")
    func links() {
        let link = ConsolePath.link("/console/payments", [("id", "a b&c=d/é'\"<"), ("none", nil), ("empty", "")])
        #expect(link == "/console/payments?id=a%20b%26c%3Dd%2F%C3%A9%27%22%3C")
        let fields = FormFields(link.split(separator: "?")[1])
        #expect(fields?["id"] == "a b&c=d/é'\"<")
    }

    @Test("a form's fields: blanks around a value do not count, two values are none, broken encoding is refused")
    func fields() throws {
        let fields = try #require(FormFields("a=+x+y+&b=1&b=2&c=&id=1&id=2"))
        #expect(fields["a"] == "x y")
        #expect(fields["b"] == nil)
        #expect(fields["c"] == nil)
        #expect(fields["d"] == nil)
        #expect(fields.all("id") == ["1", "2"])
        #expect(FormFields("a=%zz") == nil)
        #expect(FormFields("a=%ff") == nil)
    }

    @Test(
        "a form is taken from a page of ours",
        arguments: [
            ([:], true), (["Origin": "http://localhost:9090"], true), (["Origin": "https://LOCALHOST:9090"], true),
            (["Origin": "http://localhost"], false), (["Origin": "null"], false),
            (["Origin": "http://evil.example"], false), (["Sec-Fetch-Site": "same-origin"], true),
            (["Sec-Fetch-Site": "none"], true), (["Sec-Fetch-Site": "same-site"], false),
            (["Sec-Fetch-Site": "cross-site"], false),
        ] as [([String: String], Bool)]
    )
    func origins(headers: [String: String], isTaken: Bool) throws {
        var head = HTTPRequest(method: .post, scheme: "http", authority: "localhost:9090", path: "/console/sign-out")
        for (name, value) in headers { head.headerFields[try #require(HTTPField.Name(name))] = value }
        #expect((ConsoleOrigin.refusal(of: head) == nil) == isTaken)
    }

    @Test("a command can be copied into a shell as it is")
    func commands() {
        #expect(CommandText(["payments", "show", "a-1"]).line == "processor payments show a-1")
        let words: [String?] = ["dead-letters", "list", nil, "--message", "type: it's $HOME; `x`", ""]
        #expect(
            CommandText(words).line == #"processor dead-letters list --message 'type: it'\''s $HOME; `x`' ''"#
        )
        #expect(CommandText.option("--rate", nil).isEmpty)
        #expect(CommandText.option("--rate", "").isEmpty)
    }

    @Test(
        "an age has two units at most",
        arguments: [
            (0, "0 s"), (59, "59 s"), (60, "1 min"), (3_599, "59 min"), (3_600, "1 h"), (3_660, "1 h 1 min"),
            (86_400, "1 d"), (90_000, "1 d 1 h"), (-5, "0 s"),
        ]
    )
    func ages(seconds: Int, expected: String) {
        #expect(AgeText.of(.seconds(seconds)) == expected)
    }

    @Test(
        "numbers have commas",
        arguments: [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567"), (-12_345, "-12,345")]
    )
    func counts(number: Int, expected: String) {
        #expect(CountText.of(number) == expected)
    }

    @Test("a time is the second, in UTC")
    func times() {
        let time = TimeText(Timestamp(microseconds: 1_000_000), now: Timestamp(microseconds: 61_000_000))
        #expect(time.text == "1970-01-01 00:00:01")
        #expect(time.ago == "1 min ago")
    }

    @Test("an event of a stream has a line of data for each line of its text")
    func events() {
        #expect(ConsoleStream.event("page", "<p>\na\n</p>") == "event: page\ndata: <p>\ndata: a\ndata: </p>\n\n")
        #expect(ConsoleStream.event("end", "") == "event: end\ndata:\n\n")
    }

    @Test("so many pages are kept up to date, and a place is given back once")
    func places() {
        let places = StreamPlaces(most: 1)
        let place = places.enter()
        #expect(place != nil)
        #expect(places.enter() == nil)
        place?.leave()
        place?.leave()
        let next = places.enter()
        #expect(next != nil)
        #expect(places.enter() == nil)
    }

    @Test("every template of the binary can be read")
    func templates() throws {
        _ = try ConsoleRenderer()
    }
}
