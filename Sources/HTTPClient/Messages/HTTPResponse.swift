/// A whole answer: status line, header fields and body arrived, and the body is as long as the server said.
package struct HTTPResponse: Sendable, Equatable {
    /// 200–999; informational answers (1xx) are skipped.
    package let status: Int
    package let headers: HTTPHeaders
    package let body: [UInt8]

    package init(status: Int, headers: HTTPHeaders = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
