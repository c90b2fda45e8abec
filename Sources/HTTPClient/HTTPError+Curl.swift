import CCurl

extension HTTPError {
    /// What a failed transfer means.
    ///
    /// Whether the request was sent is not read out of libcurl's code (the same code stands for both, as with timeouts):
    /// the transfer knows, for libcurl asks it before it writes the first byte.
    init(_ result: CURLcode, wasSent: Bool) {
        let code = wasSent ? Self.codeAfterSending(result) : Self.codeBeforeSending(result)
        self.init(code, outcomeUnknown: wasSent, curlCode: Int(result.rawValue))
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
