import ConfigurationText

/// Who may ask what (docs/contract.md#admin-api).
struct AdminAccess: Sendable {
    enum Decision: Hashable, Sendable {
        case allowed
        /// The bearer token is missing or wrong.
        case unauthorized
        /// There is no token to ask for, and the peer is another machine.
        case forbidden

        /// What the one who may not is told.
        var refusal: AdminError? {
            switch self {
            case .allowed: nil
            case .unauthorized: .unauthorized
            case .forbidden: .forbidden
            }
        }
    }

    private let token: [UInt8]?

    /// Whether there is a token, which a browser that somebody else's page has sent here does not know.
    var hasToken: Bool { token != nil }

    /// - Parameter token: `admin.token`; `nil`: only loopback is served.
    init(token: Secret?) {
        self.token = token?.bytes
    }

    /// Judges one request by its path as sent, its `Authorization` header, and the address at the other end of the
    /// connection, which is `nil` where it is not known.
    func decide(path: String, authorization: String?, peer: String?) -> Decision {
        if Self.isPublic(path) { return .allowed }
        guard let token else { return peer.map(LoopbackHost.matches) == true ? .allowed : .forbidden }
        let scheme = "Bearer "
        guard let authorization, authorization.prefix(scheme.count).lowercased() == scheme.lowercased() else {
            return .unauthorized
        }
        return Self.areEqual(Array(authorization.utf8.dropFirst(scheme.utf8.count)), token) ? .allowed : .unauthorized
    }

    /// Answered to anybody, on any address: probes carry no token, and public keys are for everybody. Nothing of it tells about payments.
    static func isPublic(_ path: String) -> Bool { publicPaths.contains(path) }

    private static let publicPaths: Set<String> = ["/healthz", "/readyz", "/.well-known/jwks.json"]

    /// In a time that depends on the length of what was sent, not on how much of it is right.
    static func areEqual(_ sent: [UInt8], _ token: [UInt8]) -> Bool {
        guard !token.isEmpty else { return false }
        var difference = sent.count ^ token.count
        for (index, byte) in sent.enumerated() { difference |= Int(byte ^ token[index % token.count]) }
        return difference == 0
    }
}
