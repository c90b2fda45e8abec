import CCurl

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
