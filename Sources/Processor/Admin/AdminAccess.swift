import ConfigurationText
import HTTPTypes

/// Who may ask what (docs/contract.md#admin-api).
struct AdminAccess: Sendable {
    enum Decision: Hashable, Sendable {
        case allowed
        /// The bearer token is missing or wrong.
        case unauthorized
        /// There is no token to ask for, and the peer is another machine.
        case forbidden
        /// The token is one to look with, not to act.
        case readOnly

        /// What the one who may not is told.
        var refusal: AdminError? {
            switch self {
            case .allowed: nil
            case .unauthorized: .unauthorized
            case .forbidden: .forbidden
            case .readOnly: .readOnly
            }
        }
    }

    private let tokens: [AdminToken]
    let usesTLS: Bool

    /// Whether there is a token, which a browser that somebody else's page has sent here does not know.
    var hasToken: Bool { !tokens.isEmpty }

    /// - Parameter tokens: none: only loopback is served.
    init(tokens: [AdminToken], usesTLS: Bool = false) {
        self.tokens = tokens
        self.usesTLS = usesTLS
    }

    init(_ configuration: AdminConfiguration) {
        self.init(
            tokens: (configuration.token.map { [AdminToken(token: $0)] } ?? []) + configuration.tokens,
            usesTLS: configuration.tls != nil
        )
    }

    /// Judges one request by its method, its path as sent, whose token it has, and the address at the other end of the
    /// connection, which is `nil` where it is not known.
    func decide(
        path: String,
        method: HTTPRequest.Method = .get,
        caller: AdminToken?,
        peer: String?
    ) -> Decision {
        if Self.isPublic(path) { return .allowed }
        guard hasToken else { return peer.map(LoopbackHost.matches) == true ? .allowed : .forbidden }
        guard let caller else { return .unauthorized }
        return Self.role(for: method) == .read || caller.role == .operate ? .allowed : .readOnly
    }

    /// The least that a token must be for.
    static func role(for method: HTTPRequest.Method) -> AdminRole {
        method == .get || method == .head ? .read : .operate
    }

    /// Whose token it is that an `Authorization` header has; `nil` where it is nobody's. Each of the tokens is compared with it, in a
    /// time that does not depend on which it is.
    func caller(_ authorization: String?) -> AdminToken? {
        let scheme = "Bearer "
        guard let authorization, authorization.prefix(scheme.count).lowercased() == scheme.lowercased() else {
            return nil
        }
        return owner(of: authorization.utf8.dropFirst(scheme.utf8.count))
    }

    /// The same for a token without a scheme in front of it.
    func owner(of token: some Sequence<UInt8>) -> AdminToken? {
        let sent = AdminToken.digest(of: token)
        var owner: AdminToken?
        for token in tokens where token.matches(sent) { owner = token }
        return owner
    }

    /// Answered to anybody, on any address: probes carry no token, and public keys are for everybody. Nothing of it tells about payments.
    static func isPublic(_ path: String) -> Bool { publicPaths.contains(path) }

    private static let publicPaths: Set<String> = ["/healthz", "/readyz", "/.well-known/jwks.json"]
}

/// Without a token, the pages that an operator's browser shows must not be able to act here: a browser on this machine is on loopback, too.
enum BrowserGuard {
    /// - Parameter usesTLS: whether the server's own pages are at `https://`.
    /// - Returns: why a request is refused; `nil` where it is not.
    static func refusal(of head: HTTPRequest, usesTLS: Bool = false) -> AdminError? {
        // A name of somebody else's that leads to this machine (DNS rebinding).
        guard let host = head.authority, LoopbackHost.matches(name(of: host)) else {
            return refusal("the Host of the request must be this machine's: localhost, 127.0.0.1 or [::1]")
        }
        let own = "\(usesTLS ? "https" : "http")://\(host.lowercased())"
        if let origin = head.headerFields[.origin], origin.lowercased() != own {
            return refusal("a page of another Origin is not served")
        }
        if let site = HTTPField.Name("Sec-Fetch-Site").flatMap({ head.headerFields[$0] }),
            !["same-origin", "none"].contains(site.lowercased())
        {
            return refusal("a page of another site is not served (Sec-Fetch-Site)")
        }
        return nil
    }

    /// A form of a page can be posted anywhere, but not as JSON.
    static func isJSON(_ head: HTTPRequest) -> Bool {
        let type = head.headerFields[.contentType]?.split(separator: ";", omittingEmptySubsequences: false).first
        return type?.trimmingPrefix(" ").lowercased().split(separator: " ").first == "application/json"
    }

    /// Without its port.
    private static func name(of host: String) -> String {
        if host.hasPrefix("[") { return String(host.dropFirst().prefix { $0 != "]" }) }
        return String(host.prefix { $0 != ":" })
    }

    private static func refusal(_ message: String) -> AdminError {
        AdminError(status: .forbidden, code: "forbidden", message: "\(message); or set admin.token")
    }
}
