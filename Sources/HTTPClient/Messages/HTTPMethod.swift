/// The methods this client sends.
package enum HTTPMethod: String, Sendable, CaseIterable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"

    /// Whether a request without a body says so with `Content-Length: 0` (RFC 9110 §8.6).
    var announcesEmptyBody: Bool { self == .post || self == .put }
}
