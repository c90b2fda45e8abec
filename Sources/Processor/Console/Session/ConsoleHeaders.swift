import HTTPTypes

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
