import HTTPTypes

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
