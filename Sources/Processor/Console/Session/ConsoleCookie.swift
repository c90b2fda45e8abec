import HTTPTypes

/// The console's cookies: never readable by a script, never sent along from another site.
enum ConsoleCookie: String {
    case session = "console-session"
    /// Of the form to sign in, which has no session yet.
    case signIn = "console-sign-in"

    func value(in headers: HTTPFields) -> String? {
        for header in headers[values: .cookie] {
            for pair in header.split(separator: ";") {
                let parts = pair.trimmingPrefix(" ").split(separator: "=", maxSplits: 1)
                if parts.count == 2, parts[0] == rawValue { return String(parts[1]) }
            }
        }
        return nil
    }

    /// - Parameters:
    ///   - value: `nil` takes it away.
    ///   - isSecure: whether the page came over TLS, so that the cookie goes nowhere without it.
    func header(_ value: String?, isSecure: Bool) -> String {
        "\(rawValue)=\(value ?? ""); Path=\(ConsolePath.root); HttpOnly; SameSite=Strict"
            + (isSecure ? "; Secure" : "") + (value == nil ? "; Max-Age=0" : "")
    }
}
