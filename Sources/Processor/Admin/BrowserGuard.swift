import ConfigurationText
import HTTPTypes

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
