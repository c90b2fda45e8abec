import HTTPTypes
import Hummingbird
import Logging

/// Signing in with an admin token, and out again.
struct SignInRoutes: Sendable {
    let console: Console

    func add(to router: Router<AdminContext>) {
        router.get("console/sign-in") { request, context in
            if !console.access.hasToken || isSignedIn(request) {
                return Console.redirect(to: ConsolePath.destination(context.form["next"]))
            }
            return await form(request, next: context.form["next"], problem: nil)
        }
        router.post("console/sign-in") { request, context in await signIn(request, context) }
        console.post("console/sign-out", on: router) { visit, _ in
            console.sessions.end(visit.session.id)
            return .seeOther(ConsolePath.signIn)
        }
    }

    private func isSignedIn(_ request: Request) -> Bool {
        console.sessions.session(ConsoleCookie.session.value(in: request.headers)) != nil
    }

    private func signIn(_ request: Request, _ context: AdminContext) async -> Response {
        let fields = context.form
        let known = ConsoleCookie.signIn.value(in: request.headers) ?? ""
        guard ConsoleSecret.matches(fields["form"], known) else {
            return await form(request, next: fields["next"], problem: "This page was open for too long. Try again.")
        }
        guard let token = console.access.owner(of: (fields["token"] ?? "").utf8) else {
            context.logger.warning("console: a token was refused", metadata: ["peer": "\(context.peer ?? "unknown")"])
            return await form(request, next: fields["next"], problem: "That is no token of this processor.")
        }
        if let old = ConsoleCookie.session.value(in: request.headers) { console.sessions.end(old) }
        let session = console.sessions.begin(token.name, token.role)
        context.logger.notice(
            "console: signed in",
            metadata: ["by": "\(token.name)", "role": "\(token.role.rawValue)"]
        )
        var response = Console.redirect(to: ConsolePath.destination(fields["next"]))
        let isSecure = console.isSecure(request)
        response.headers[values: .setCookie] = [
            ConsoleCookie.session.header(session.id, isSecure: isSecure),
            ConsoleCookie.signIn.header(nil, isSecure: isSecure),
        ]
        return response
    }

    private func form(_ request: Request, next: String?, problem: String?) async -> Response {
        // The same for all tabs that are open.
        let known = ConsoleCookie.signIn.value(in: request.headers)
        let secret = known.flatMap { $0.utf8.count == 64 ? $0 : nil } ?? ConsoleSecret.make()
        let page = ConsolePage(
            title: "Sign in",
            section: nil,
            template: "sign-in",
            content: Content(form: secret, next: ConsolePath.destination(next), problem: problem),
            status: problem == nil ? .ok : .unauthorized
        )
        var response = await console.response(page, nil)
        let isSecure = console.isSecure(request)
        response.headers[values: .setCookie] = [ConsoleCookie.signIn.header(secret, isSecure: isSecure)]
        return response
    }

    private struct Content: Sendable {
        let form: String
        let next: String
        let problem: String?
    }
}
