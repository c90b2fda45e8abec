/// A whole answer: status line, header fields and body arrived, and the body is as long as the server said. Where the
/// server did not say, it ended with its connection.
package struct HTTPResponse: Sendable, Equatable {
    /// 200–999; informational answers (1xx) are skipped.
    package let status: Int
    package let headers: HTTPHeaders

    /// Decoded where the server compressed it; `headers` then still tell of the coding and its length.
    package let body: [UInt8]

    package init(status: Int, headers: HTTPHeaders = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
