/// Why a request got no whole answer, and whether the server may have acted on it all the same.
///
/// Neither the error nor its description holds anything of the request or the answer.
package struct HTTPError: Error, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        /// Not an absolute http or https URL of visible ASCII characters.
        case invalidURL = "invalid_url"
        /// A header field that cannot be sent, or that only the client may write.
        case invalidHeader = "invalid_header"
        /// A GET with a body.
        case invalidBody = "invalid_body"
        /// The name of the server has no address.
        case resolveFailed = "resolve_failed"
        /// Refused or unreachable.
        case connectFailed = "connect_failed"
        /// There was no connection within the connect timeout, or within what was left of the request's own.
        case connectTimedOut = "connect_timed_out"
        /// The TLS handshake failed, or the server's certificate is not trusted.
        case tlsFailed = "tls_failed"
        /// The request's time was over: while it waited for a connection (not sent) or for the answer (sent).
        case timedOut = "timed_out"
        /// The connection ended before the answer was whole.
        case connectionLost = "connection_lost"
        /// The answer is larger than the configuration allows.
        case responseTooLarge = "response_too_large"
        /// The answer is not HTTP/1.x, or it does not say how long it is.
        case malformedResponse = "malformed_response"
        /// The task that called `send` was cancelled.
        case cancelled = "cancelled"
        /// A limit below 1, or a user agent that is no header value.
        case invalidConfiguration = "invalid_configuration"
        /// The client was shut down.
        case shutDown = "shut_down"
        /// Out of memory, descriptors or threads, or libcurl could not be set up.
        case outOfResources = "out_of_resources"
    }

    package let code: Code

    /// Whether the request may have reached the server. `false` is proof that not a byte of it was sent; what was
    /// handed to the operating system, in whole or in part, counts as sent.
    package let outcomeUnknown: Bool

    /// libcurl's own code, where the failure came from it (`CURLcode` in curl.h).
    package let curlCode: Int?

    /// What is known beyond the code.
    package let cause: Cause?

    package init(_ code: Code, outcomeUnknown: Bool, curlCode: Int? = nil, cause: Cause? = nil) {
        self.code = code
        self.outcomeUnknown = outcomeUnknown
        self.curlCode = curlCode
        self.cause = cause
    }

    /// Whether the same request, sent again, may succeed and cannot take effect twice.
    package var isRetriable: Bool {
        guard !outcomeUnknown else { return false }
        switch code {
        case .resolveFailed, .connectFailed, .connectTimedOut, .tlsFailed, .timedOut, .connectionLost, .outOfResources:
            return true
        case .invalidURL, .invalidHeader, .invalidBody, .invalidConfiguration, .responseTooLarge, .malformedResponse,
            .cancelled, .shutDown:
            return false
        }
    }

    package var description: String {
        let curl = curlCode.map { ", libcurl \($0)" } ?? ""
        let outcome = outcomeUnknown ? "outcome unknown" : "not sent"
        return "HTTP request failed: \(explanation) (\(code.rawValue)\(curl)); \(outcome)"
    }
}
