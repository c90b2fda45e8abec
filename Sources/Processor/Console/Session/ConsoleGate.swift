import Core
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// Who may see a page and who may act, decided before any page is asked for.
struct ConsoleGate: Sendable {
    let console: Console

    /// - Parameter request: all of it is there.
    func handle(
        _ request: Request,
        _ context: AdminContext,
        next: (Request, AdminContext) async throws -> Response
    ) async -> Response {
        let path = request.uri.path
        let cookie = ConsoleCookie.session.value(in: request.headers)
        var session = console.sessions.session(cookie, isUse: !ConsolePath.isStream(path))
        var isNew = false
        var response: Response
        do {
            try checkPeer(request, context)
            let fields = try await fields(of: request)
            if request.method == .post { try checkOrigin(request) }
            if ConsolePath.isOpen(path) {
                var context = context
                context.form = fields
                response = try await next(request, context)
            } else {
                if session == nil, !console.access.hasToken {
                    // Whoever works on this machine may do everything already.
                    session = console.sessions.begin(AdminToken.admin, .operate)
                    isNew = true
                }
                guard let session else { return finished(try signInFirst(request), path) }
                if request.method == .post { try checkForm(fields, session, path) }
                var context = context
                context.visit = ConsoleVisit(session: session, fields: fields, uri: request.uri.string)
                response = try await next(request, context)
            }
        } catch {
            response = await failed(error, session, context)
        }
        if isNew, let session {
            response.headers[values: .setCookie].append(
                ConsoleCookie.session.header(session.id, isSecure: console.isSecure(request))
            )
        }
        return finished(response, path)
    }

    private func finished(_ response: Response, _ path: String) -> Response {
        var response = response
        let isAsset = path.hasPrefix("/console/assets/") && response.status == .ok
        ConsoleHeaders.add(to: &response.headers, isAsset: isAsset)
        return response
    }

    /// Without a token only this machine is served, and no name of somebody else's that leads to it.
    private func checkPeer(_ request: Request, _ context: AdminContext) throws {
        guard !console.access.hasToken else { return }
        let decision = console.access.decide(path: request.uri.path, caller: nil, peer: context.peer)
        if let refusal = decision.refusal ?? BrowserGuard.refusal(of: request.head) { throw refusal }
    }

    private func checkOrigin(_ request: Request) throws {
        guard let refusal = ConsoleOrigin.refusal(of: request.head) else { return }
        throw ConsoleFailure(.forbidden, "Not taken", "\(refusal.prefix(1).uppercased())\(refusal.dropFirst()).")
    }

    private func checkForm(_ fields: FormFields, _ session: ConsoleSession, _ path: String) throws {
        guard ConsoleSecret.matches(fields["form"], session.formToken) else { throw ConsoleFailure.otherForm }
        guard session.canAct || path == ConsolePath.signOut else { throw ConsoleFailure.readOnly }
    }

    private func signInFirst(_ request: Request) throws -> Response {
        if ConsolePath.isStream(request.uri.path) { return Response(status: .unauthorized) }
        guard request.method != .post else {
            throw ConsoleFailure(.forbidden, "Not signed in", "Your visit is over. Sign in, and do it again.")
        }
        return Console.redirect(to: ConsolePath.link(ConsolePath.signIn, [("next", request.uri.string)]))
    }

    private func fields(of request: Request) async throws -> FormFields {
        let encoded: String
        if request.method == .post {
            let body = try await request.body.collect(upTo: Self.largestForm)
            encoded = String(buffer: body)
        } else {
            encoded = request.uri.query ?? ""
        }
        guard let fields = FormFields(encoded) else {
            throw ConsoleFailure(.badRequest, "That cannot be read", "The form is not percent-encoded UTF-8.")
        }
        return fields
    }

    private static let largestForm = 1 << 20

    private func failed(_ error: any Error, _ session: ConsoleSession?, _ context: AdminContext) async -> Response {
        let failure: ConsoleFailure
        switch error {
        case let error as ConsoleFailure: failure = error
        case let error as AdminError: failure = ConsoleFailure(error)
        case let error as InvalidField: failure = .invalid(error)
        case let error as StoreError:
            context.logger.warning("console query failed", metadata: [LogKey.error.rawValue: "\(error)"])
            failure = ConsoleFailure(AdminError(error))
        case let error as HTTPError where error.status == .notFound: failure = .notFound("page")
        case let error as HTTPError:
            failure = ConsoleFailure(error.status, error.status.reasonPhrase, error.body ?? error.status.reasonPhrase)
        case is NIOTooManyBytesError:
            failure = ConsoleFailure(.contentTooLarge, "Too much", "The form is too long.")
        default:
            context.logger.error("console request failed", metadata: [LogKey.error.rawValue: "\(type(of: error))"])
            failure = ConsoleFailure(AdminError.internal)
        }
        let page = ConsolePage(
            title: failure.title,
            section: nil,
            template: "message",
            content: MessageContent(
                title: failure.title,
                class: "problem",
                text: failure.text,
                back: session == nil ? ConsolePath.signIn : ConsolePath.root,
                backText: session == nil ? "Sign in" : "Overview"
            ),
            status: failure.status
        )
        return await console.response(page, session)
    }
}

/// A page that says one thing.
struct MessageContent: Sendable {
    let title: String
    let `class`: String
    let text: String
    let back: String?
    let backText: String
}

extension Console {
    /// Whether the person's browser speaks TLS with us, or with who passes its requests on to us.
    func isSecure(_ request: Request) -> Bool {
        guard !isSecure, let name = HTTPField.Name("X-Forwarded-Proto") else { return isSecure }
        return request.headers[name]?.lowercased() == "https"
    }
}

/// A form is taken only from a page of ours: a browser says where a form comes from, and no page can change what it says.
enum ConsoleOrigin {
    /// - Returns: why a request is refused; `nil` where it is not.
    static func refusal(of head: HTTPRequest) -> String? {
        if let origin = head.headerFields[.origin] {
            guard let end = origin.firstRange(of: "://"), let host = head.authority, !host.isEmpty,
                origin[end.upperBound...].lowercased() == host.lowercased()
            else { return "a form of another origin is not taken" }
        }
        if let site = HTTPField.Name("Sec-Fetch-Site").flatMap({ head.headerFields[$0] }),
            !["same-origin", "none"].contains(site.lowercased())
        {
            return "a form of another site is not taken (Sec-Fetch-Site)"
        }
        return nil
    }
}

/// What every answer of the console tells the browser (docs/security.md#the-console).
enum ConsoleHeaders {
    /// Nothing from elsewhere, nothing inline, in nobody's frame.
    static let policy = [
        "default-src 'none'", "style-src 'self'", "script-src 'self'", "img-src 'self'", "connect-src 'self'",
        "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'",
    ].joined(separator: "; ")

    /// - Parameter isAsset: whether it is of the binary, under an address that changes with it.
    static func add(to headers: inout HTTPFields, isAsset: Bool = false) {
        set("Content-Security-Policy", policy, &headers)
        set("X-Content-Type-Options", "nosniff", &headers)
        set("Referrer-Policy", "same-origin", &headers)
        set("Cross-Origin-Opener-Policy", "same-origin", &headers)
        set("Cross-Origin-Resource-Policy", "same-origin", &headers)
        headers[.cacheControl] = isAsset ? "max-age=31536000, immutable" : "no-store"
    }

    private static func set(_ name: String, _ value: String, _ headers: inout HTTPFields) {
        guard let name = HTTPField.Name(name) else { return }
        headers[name] = value
    }
}
