import HTTPClient
import Testing

@Suite("HTTP errors", .timeLimit(.minutes(1)))
struct HTTPErrorTests {
    @Test("an unknown outcome is never to be retried as it is", arguments: HTTPError.Code.allCases)
    func unknownIsNotRetriable(code: HTTPError.Code) {
        #expect(!HTTPError(code, outcomeUnknown: true).isRetriable)
    }

    @Test("a description names the code, libcurl's number and what is known, nothing else")
    func description() {
        #expect(
            HTTPError(.timedOut, outcomeUnknown: true, curlCode: 28).description
                == "HTTP request failed: timed_out, libcurl 28, outcome unknown"
        )
        #expect(HTTPError(.shutDown, outcomeUnknown: false).description == "HTTP request failed: shut_down, not sent")
    }
}
