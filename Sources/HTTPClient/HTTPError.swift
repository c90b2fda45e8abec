import CCurl
import Glibc

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

extension HTTPError {
    /// What a failed transfer means.
    ///
    /// Whether the request was sent is not read out of libcurl's code (the same code stands for both, as with timeouts):
    /// the transfer knows, for libcurl asks it before it writes the first byte.
    ///
    /// - Parameters:
    ///   - errno: of the last attempt to connect (`CURLINFO_OS_ERRNO`), 0 where there is none.
    ///   - verification: what OpenSSL said of the certificate (`X509_V_ERR_…` in x509_vfy.h), 0 where it found no fault.
    init(_ result: CURLcode, wasSent: Bool, errno: Int = 0, verification: Int = 0) {
        let code = wasSent ? Self.codeAfterSending(result) : Self.codeBeforeSending(result)
        let cause = Self.cause(of: result, errno: Int32(truncatingIfNeeded: errno), verification: verification)
        self.init(code, outcomeUnknown: wasSent, curlCode: Int(result.rawValue), cause: cause)
    }

    private static func cause(of result: CURLcode, errno: Int32, verification: Int) -> Cause? {
        switch result {
        case CURLE_COULDNT_CONNECT: errno == 0 ? nil : .system(errno)
        case CURLE_PEER_FAILED_VERIFICATION: certificateFault(verification)
        case CURLE_SSL_CACERT_BADFILE: .authoritiesUnreadable
        case CURLE_GOT_NOTHING: .noAnswer
        default: nil
        }
    }

    /// That the name is another one, libcurl finds out by itself, and before it asks OpenSSL for its verdict.
    private static func certificateFault(_ verification: Int) -> Cause {
        switch verification {
        case 0, 1, 62, 64: .certificateOfAnotherName
        case 9: .certificateNotYetValid
        case 10: .certificateExpired
        case 18: .certificateSelfSigned
        default: .certificateUntrusted
        }
    }

    private static func codeBeforeSending(_ result: CURLcode) -> Code {
        switch result {
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: .invalidURL
        case CURLE_COULDNT_RESOLVE_HOST: .resolveFailed
        case CURLE_OPERATION_TIMEDOUT: .connectTimedOut
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_ENGINE_INITFAILED:
            .tlsFailed
        case CURLE_OUT_OF_MEMORY, CURLE_FAILED_INIT: .outOfResources
        default: .connectFailed
        }
    }

    private static func codeAfterSending(_ result: CURLcode) -> Code {
        switch result {
        case CURLE_OPERATION_TIMEDOUT: .timedOut
        // The first is libcurl's word for an answer without a status line.
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING: .malformedResponse
        case CURLE_OUT_OF_MEMORY: .outOfResources
        default: .connectionLost
        }
    }
}

extension HTTPError {
    /// What a person has to look into, where libcurl or the operating system tells more than the code does.
    package enum Cause: Equatable, Sendable {
        /// An errno: refused, no route, out of local ports or of descriptors, reset.
        case system(Int32)
        case certificateExpired
        case certificateNotYetValid
        case certificateSelfSigned
        /// Its issuer is not among those that are trusted.
        case certificateUntrusted
        case certificateOfAnotherName
        /// The file of certificate authorities is missing or is none.
        case authoritiesUnreadable
        /// The connection was closed before the first byte of an answer.
        case noAnswer

        var explanation: String {
            switch self {
            case .system(let number): Self.text(of: number)
            case .certificateExpired: "the server's certificate has expired"
            case .certificateNotYetValid: "the server's certificate is not valid yet"
            case .certificateSelfSigned: "the server's certificate is self-signed and not trusted"
            case .certificateUntrusted: "the issuer of the server's certificate is not trusted"
            case .certificateOfAnotherName: "the server's certificate is for another name"
            case .authoritiesUnreadable: "the file of trusted certificate authorities cannot be read"
            case .noAnswer: "the server closed the connection without an answer"
            }
        }

        private static func text(of number: Int32) -> String {
            var buffer = [CChar](repeating: 0, count: 128)
            guard strerror_r(number, &buffer, buffer.count) == 0 else { return "error \(number) of the system" }
            let text = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            return text.prefix(1).lowercased() + text.dropFirst()
        }
    }

    /// What happened, in words.
    package var explanation: String { cause?.explanation ?? code.explanation(wasSent: outcomeUnknown) }
}

extension HTTPError.Code {
    fileprivate func explanation(wasSent: Bool) -> String {
        switch self {
        case .invalidURL: "the URL is not an absolute http or https one"
        case .invalidHeader: "a header field cannot be sent"
        case .invalidBody: "a GET cannot have a body"
        case .resolveFailed: "the server's name cannot be resolved"
        case .connectFailed: "no connection to the server"
        case .connectTimedOut: "no connection to the server in time"
        case .tlsFailed: "the TLS handshake failed, or the server does not speak TLS"
        case .timedOut: wasSent ? "no whole answer in time" : "no time left to send it"
        case .connectionLost: "the connection ended before the answer was whole"
        case .responseTooLarge: "the answer is larger than allowed"
        case .malformedResponse: "the answer is not valid HTTP/1.1"
        case .cancelled: "it was cancelled"
        case .invalidConfiguration: "the client's configuration is invalid"
        case .shutDown: "the client was shut down"
        case .outOfResources: "out of memory, descriptors or threads"
        }
    }
}
