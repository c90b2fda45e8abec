import CCurl
import Glibc
import Testing

@testable import HTTPClient

@Suite("HTTP errors", .timeLimit(.minutes(1)))
struct HTTPErrorTests {
    @Test("an unknown outcome is never to be retried as it is", arguments: HTTPError.Code.allCases)
    func unknownIsNotRetriable(code: HTTPError.Code) {
        #expect(!HTTPError(code, outcomeUnknown: true).isRetriable)
    }

    @Test("a description says in words what happened, then the code, libcurl's number and what is known")
    func description() {
        #expect(
            HTTPError(.timedOut, outcomeUnknown: true, curlCode: 28).description
                == "HTTP request failed: no whole answer in time (timed_out, libcurl 28); outcome unknown"
        )
        #expect(
            HTTPError(.shutDown, outcomeUnknown: false).description
                == "HTTP request failed: the client was shut down (shut_down); not sent"
        )
    }

    @Test("every code has words of its own")
    func words() {
        let explanations = HTTPError.Code.allCases.map { HTTPError($0, outcomeUnknown: false).explanation }
        #expect(Set(explanations).count == HTTPError.Code.allCases.count)
        #expect(explanations.allSatisfy { $0.contains(" ") })
    }

    static let failures: [(CURLcode, Int, Int, HTTPError.Code, String)] = [
        (CURLE_COULDNT_CONNECT, Int(ECONNREFUSED), 0, .connectFailed, "connection refused"),
        (CURLE_COULDNT_CONNECT, Int(EHOSTUNREACH), 0, .connectFailed, "no route to host"),
        (CURLE_COULDNT_CONNECT, Int(EMFILE), 0, .connectFailed, "too many open files"),
        (CURLE_COULDNT_CONNECT, 0, 0, .connectFailed, "no connection to the server"),
        (CURLE_COULDNT_RESOLVE_HOST, 0, 0, .resolveFailed, "the server's name cannot be resolved"),
        (CURLE_SSL_CONNECT_ERROR, 0, 0, .tlsFailed, "the TLS handshake failed, or the server does not speak TLS"),
        (CURLE_PEER_FAILED_VERIFICATION, 0, 10, .tlsFailed, "the server's certificate has expired"),
        (CURLE_PEER_FAILED_VERIFICATION, 0, 9, .tlsFailed, "the server's certificate is not valid yet"),
        (CURLE_PEER_FAILED_VERIFICATION, 0, 1, .tlsFailed, "the server's certificate is for another name"),
        (CURLE_PEER_FAILED_VERIFICATION, 0, 18, .tlsFailed, "the server's certificate is self-signed and not trusted"),
        (CURLE_PEER_FAILED_VERIFICATION, 0, 20, .tlsFailed, "the issuer of the server's certificate is not trusted"),
        (
            CURLE_SSL_CACERT_BADFILE, 0, 1, .tlsFailed, "the file of trusted certificate authorities cannot be read"
        ),
    ]

    @Test("what libcurl, the system and OpenSSL tell of a failed connection is said in words", arguments: failures)
    func causes(result: CURLcode, errno: Int, verification: Int, code: HTTPError.Code, explanation: String) {
        let error = HTTPError(result, wasSent: false, errno: errno, verification: verification)
        #expect(error.code == code)
        #expect(error.explanation == explanation)
        #expect(error.curlCode == Int(result.rawValue))
        #expect(!error.outcomeUnknown)
    }

    @Test("a connection that was closed instead of an answer is told from one that broke in the middle of it")
    func lostConnections() {
        let closed = HTTPError(CURLE_GOT_NOTHING, wasSent: true)
        let broken = HTTPError(CURLE_PARTIAL_FILE, wasSent: true)
        #expect(closed.code == .connectionLost && broken.code == .connectionLost)
        #expect(closed.explanation == "the server closed the connection without an answer")
        #expect(broken.explanation == "the connection ended before the answer was whole")
    }
}
