import Core
import HTTPTypes
import Simulation
import Testing

@testable import Processor

@Suite("The console at the admin server", .timeLimit(.minutes(1)))
struct ConsoleServerTests {
    private let scene = ConsoleScene()

    @Test("who is not signed in is asked for a token, and then gets the page that was asked for")
    func signIn() async throws {
        try await scene.withServer { port in
            let asked = try await PlainHTTP.get("/console/payments?status=CAPTURED", port: port)
            #expect(asked.status == 303)
            #expect(asked.headers["location"] == "/console/sign-in?next=%2Fconsole%2Fpayments%3Fstatus%3DCAPTURED")
            let form = try await PlainHTTP.get(try #require(asked.headers["location"]), port: port)
            #expect(form.status == 200)
            let cookie = try #require(form.headers["set-cookie"]?.prefix { $0 != ";" })
            let secret = try #require(cookie.split(separator: "=").last)
            let answer = try await PlainHTTP.send(
                "POST",
                "/console/sign-in",
                port: port,
                headers: ["Cookie": String(cookie), "Content-Type": "application/x-www-form-urlencoded"],
                body: "form=\(secret)&token=\(ConsoleScene.operateToken)&next=%2Fconsole%2Fpayments%3Fstatus%3DCAPTURED"
            )
            #expect(answer.status == 303)
            #expect(answer.headers["location"] == "/console/payments?status=CAPTURED")
            #expect(scene.sessions.count == 1)
        }
    }

    @Test(
        "no session without a token that is known, or without the form of ours",
        arguments: [
            ("form=FORM&token=nonsense", 401), ("form=other&token=\(ConsoleScene.operateToken)", 401),
            ("token=\(ConsoleScene.operateToken)", 401), ("form=FORM", 401),
        ]
    )
    func refusedSignIn(body: String, status: Int) async throws {
        try await scene.withServer { port in
            let secret = ConsoleSecret.make()
            let answer = try await PlainHTTP.send(
                "POST",
                "/console/sign-in",
                port: port,
                headers: [
                    "Cookie": "console-sign-in=\(secret)", "Content-Type": "application/x-www-form-urlencoded",
                ],
                body: body.replacing("FORM", with: secret)
            )
            #expect(answer.status == status)
            #expect(scene.sessions.count == 0)
        }
    }

    @Test(
        "every page is there, for people and not for caches or frames",
        arguments: [
            "/console", "/console/payments", "/console/payments?id=nothing", "/console/review", "/console/dead-letters",
            "/console/replays", "/console/sweeps", "/console/audit", "/console/guides/runbook",
            "/console/guides/operations", "/console/reference", "/console/payments/\(ResolutionScene.id)",
            "/console/review/\(ResolutionScene.id)?operation=key-1",
        ]
    )
    func pages(path: String) async throws {
        try await scene.review.prepare()
        try await scene.withServer { port in
            let answer = try await scene.visitor(port: port).get(path)
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "text/html; charset=utf-8")
            #expect(answer.headers["cache-control"] == "no-store")
            #expect(answer.headers["x-content-type-options"] == "nosniff")
            #expect(answer.headers["referrer-policy"] == "same-origin")
            let policy = try #require(answer.headers["content-security-policy"])
            #expect(policy.contains("default-src 'none'"))
            #expect(policy.contains("frame-ancestors 'none'"))
            #expect(policy.contains("form-action 'self'"))
            #expect(!policy.contains("unsafe"))
            // No inline script or style, no address elsewhere.
            #expect(!answer.body.contains("<style"))
            #expect(answer.body.firstMatch(of: /<script(?! src="\/console\/)/) == nil)
            #expect(answer.body.firstMatch(of: /\s(style|on\w+)="/) == nil)
            #expect(answer.body.firstMatch(of: /(src|action)="(?!\/)/) == nil)
            #expect(answer.body.contains(#"<html lang="en">"#))
            #expect(answer.body.matches(of: /<h1/).count == 1)
        }
    }

    @Test("style, script and icon are there for everybody, under an address that changes with them")
    func assets() async throws {
        try await scene.withServer { port in
            for (name, type) in [
                ("style.css", "text/css"), ("script.js", "text/javascript"), ("icon.svg", "image/svg"),
            ] {
                let answer = try await PlainHTTP.get("/console/assets/\(name)", port: port)
                #expect(answer.status == 200)
                #expect(answer.headers["content-type"]?.hasPrefix(type) == true)
                #expect(answer.headers["cache-control"] == "max-age=31536000, immutable")
            }
        }
    }

    @Test("a page that is not there says so as a page; a stream without a session is no page")
    func missing() async throws {
        try await scene.withServer { port in
            let answer = try await scene.visitor(port: port).get("/console/nothing")
            #expect(answer.status == 404)
            #expect(answer.body.contains("There is no such page."))
            #expect(try await PlainHTTP.get("/console/events", port: port).status == 401)
            // The API stays what it was.
            let api = try await PlainHTTP.get("/nothing", port: port)
            #expect(api.headers["content-type"] == "application/json")
        }
    }

    @Test("a form without the visit's token, of another origin or of another site changes nothing")
    func foreignForms() async throws {
        try await scene.withServer { port in
            let visitor = scene.visitor(port: port)
            for form in ["nonsense", ""] {
                let answer = try await visitor.post("/console/sign-out", ["form": form])
                #expect(answer.status == 403)
            }
            for headers in [
                ["Origin": "https://evil.example"], ["Origin": "null"], ["Sec-Fetch-Site": "cross-site"],
                ["Sec-Fetch-Site": "same-site"],
            ] {
                #expect(try await visitor.post("/console/sign-out", headers: headers).status == 403, "\(headers)")
            }
            #expect(scene.sessions.session(visitor.session.id) != nil)
            let own = ["Origin": "http://localhost:\(port)", "Sec-Fetch-Site": "same-origin"]
            #expect(try await visitor.post("/console/sign-out", headers: own).status == 303)
            #expect(scene.sessions.session(visitor.session.id) == nil)
        }
    }

    @Test("a token to look with sees no form of an action, and is refused one")
    func reader() async throws {
        try await scene.review.prepare()
        scene.reading.say(groups: [
            DeadLetterGroup(
                code: "needs_attention",
                message: "timeout",
                count: 1,
                oldest: SystemTime().now(),
                newest: SystemTime().now()
            )
        ])
        try await scene.deadLetters.keep(1)
        try await scene.withServer { port in
            let reader = scene.visitor("rob", .read, port: port)
            for path in [
                "/console/dead-letters", "/console/sweeps", "/console/dead-letters/\(DeadLetterScene.id(1))",
                "/console/review/\(ResolutionScene.id)?operation=key-1",
                "/console/dead-letters/replay?id=\(DeadLetterScene.id(1))",
            ] {
                let answer = try await reader.get(path)
                #expect(answer.status == 200, "\(path)")
                let forms = answer.body.matches(of: /<form method="post" action="([^"]*)"/).map { String($0.output.1) }
                #expect(forms == ["/console/sign-out"], "\(path)")
            }
            for path in [
                "/console/dead-letters/replay", "/console/dead-letters/discard", "/console/sweeps/reconcile/run",
                "/console/payments/\(ResolutionScene.id)/resolve", "/console/replays/\(DeadLetterScene.id(1))/stop",
                "/console/work/x/stop",
            ] {
                #expect(try await reader.post(path).status == 403, "\(path)")
            }
            // Asking the bank is no mere looking, nor is making a processor work.
            for path in ["sweeps?dry_run=expire", "sweeps?dry_run=retention", "dead-letters/replay?all=1&dry_run=1"] {
                #expect(try await reader.get("/console/\(path)").status == 403, "\(path)")
                #expect(try await scene.visitor(port: port).get("/console/\(path)").status == 200, "\(path)")
            }
            let resolve = "/console/payments/\(ResolutionScene.id)/resolve?operation=key-1&as=failed&reason=x"
            #expect(try await reader.get(resolve).status == 403)
            let ask = "/console/review/\(ResolutionScene.id)?operation=key-1&bank=ask"
            #expect(try await reader.get(ask).status == 403)
        }
    }

    @Test("without a token this machine is served, under its own name, and nobody else's page acts here")
    func withoutToken() async throws {
        try await scene.withServer(tokens: []) { port in
            let answer = try await PlainHTTP.get("/console", port: port)
            #expect(answer.status == 200)
            #expect(answer.headers["set-cookie"]?.contains("HttpOnly; SameSite=Strict") == true)
            #expect(!answer.body.contains("Sign out"))
            let other = try await PlainHTTP.send("GET", "/console", port: port, headers: ["Host": "evil.example"])
            #expect(other.status == 403)
            let foreign = try await PlainHTTP.send(
                "POST",
                "/console/sweeps/reconcile/run",
                port: port,
                headers: ["Origin": "https://evil.example", "Content-Type": "application/x-www-form-urlencoded"]
            )
            #expect(foreign.status == 403)
        }
    }

    @Test("the session's cookie goes nowhere without TLS, where the page came with it", arguments: [true, false])
    func secureCookie(isSecure: Bool) async throws {
        try await scene.withServer(tokens: [], isSecure: isSecure) { port in
            let answer = try await PlainHTTP.get("/console", port: port)
            #expect(answer.headers["set-cookie"]?.contains("; Secure") == isSecure)
        }
    }

    @Test("what others have written is text on a page, never markup")
    func escaping() async throws {
        try await scene.deadLetters.keep(1) { message in
            message.headers[HeaderName.errorMessage] = .string("<script>alert(1)</script>")
            message.headers["x-\"><img src=x>"] = .string("\"><svg onload=alert(1)>")
            message.body = Array(#"{"note":"</pre><script>alert(1)</script>"}"#.utf8)
        }
        try await scene.withServer { port in
            let visitor = scene.visitor(port: port)
            let evil = ConsolePath.encoded("\"><script>alert(1)</script>")
            for path in [
                "/console/dead-letters/\(DeadLetterScene.id(1))", "/console/dead-letters",
                "/console/payments?id=\(evil)", "/console/payments?order_id=\(evil)",
                "/console/dead-letters?code=\(evil)", "/console/dead-letters?message=\(evil)",
            ] {
                let answer = try await visitor.get(path)
                #expect(!answer.body.contains("<script>alert"), "\(path)")
                #expect(!answer.body.contains("<svg onload"), "\(path)")
                #expect(!answer.body.contains("<img"), "\(path)")
            }
        }
    }

    @Test("a review is resolved in two steps, in the name of the token")
    func resolve() async throws {
        try await scene.review.prepare()
        scene.review.bank.say(.captured("cap_1"))
        try await scene.withServer { port in
            let visitor = scene.visitor(port: port)
            let path = "/console/payments/\(ResolutionScene.id)/resolve"
            let asked = try await visitor.get("\(path)?operation=key-1&as=succeeded&reason=ticket+4711")
            #expect(asked.status == 200)
            #expect(asked.body.contains("the bank has executed it as cap_1"))
            #expect(try await scene.review.operation.state == .needsAttention)
            let refused = try await visitor.post(path, ["operation": "key-1", "as": "failed", "reason": "ticket 4711"])
            #expect(refused.status == 409)
            #expect(try await scene.review.operation.state == .needsAttention)
            let form = ["operation": "key-1", "as": "succeeded", "reason": "ticket 4711"]
            let done = try await visitor.post(path, form)
            #expect(done.status == 303)
            #expect(done.headers["location"] == "/console/payments/\(ResolutionScene.id)")
            #expect(try await scene.review.operation.state == .succeeded)
            let page = try await visitor.get("/console/payments/\(ResolutionScene.id)")
            #expect(page.body.contains("is resolved as succeeded"))
            #expect(page.body.contains("ada"))
        }
    }

    @Test("a replay is ordered for as many as were seen, and for no other number")
    func replay() async throws {
        for number in 1...3 { try await scene.deadLetters.keep(number) }
        try await scene.withServer { port in
            let visitor = scene.visitor(port: port)
            let path = "/console/dead-letters/replay"
            #expect(try await visitor.get(path).status == 400)
            let asked = try await visitor.get("\(path)?code=needs_attention")
            #expect(asked.status == 200)
            #expect(asked.body.contains("3 dead letters selected"))
            #expect(asked.body.contains("processor dead-letters replay --code needs_attention --confirm 3"))
            let changed = try await visitor.post(path, ["code": "needs_attention", "confirm": "2"])
            #expect(changed.status == 409)
            #expect(try await scene.deadLetters.store.replays(limit: 10).isEmpty)
            let done = try await visitor.post(path, ["code": "needs_attention", "confirm": "3", "rate": "5"])
            #expect(done.status == 303)
            let run = try #require(try await scene.deadLetters.store.replays(limit: 10).first)
            #expect(done.headers["location"] == "/console/replays/\(run.id)")
            #expect(run.order.requestedBy == "ada")
            #expect(run.order.pace.perSecond == 5)
            #expect(run.counts.selected == 3)
            #expect(try await visitor.post("/console/replays/\(run.id)/stop").status == 303)
            #expect(try await scene.deadLetters.store.replay(run.id)?.stoppedBy == "ada")
        }
    }
}
