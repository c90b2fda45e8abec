/// An answer before it is put on the wire.
struct HTTPAnswer: Equatable, Sendable {
    let status: Int
    var contentType = ContentType.json
    let body: String
    /// Marked `X-Idempotent-Replayed: true`.
    var isReplay = false
    /// In addition to the usual header fields, or instead of those of the same name.
    var headers: [String: String] = [:]
    /// How it is written, where that is not as usual.
    var style: AnswerStyle?

    /// The media types the simulator sends.
    enum ContentType: String, Sendable {
        case json = "application/json"
        case text = "text/plain; charset=utf-8"
        case html = "text/html"
    }

    /// `{"error","message"}`, the shape of the bank's errors and of the control endpoints'.
    static func error(_ status: Int, _ code: String, _ message: String) -> HTTPAnswer {
        let body = JSONWriter.object {
            $0.member("error", code)
            $0.member("message", message)
        }
        return HTTPAnswer(status: status, body: body)
    }

    /// The bank's 400 for a request it cannot read.
    static func malformed(_ text: String) -> HTTPAnswer {
        HTTPAnswer(status: 400, contentType: .text, body: text + "\n")
    }

    /// A control endpoint's 400.
    static func invalid(_ message: String) -> HTTPAnswer {
        .error(400, "invalid_request", message)
    }

    static let healthy = HTTPAnswer(status: 200, body: #"{"status":"healthy"}"#)

    static let internalError = HTTPAnswer(.refused(.internalError), precision: .nanoseconds)

    /// What ``FaultKind/garbage`` answers.
    static let garbage = HTTPAnswer(status: 200, contentType: .html, body: "<html><body>It works!</body></html>\n")
}

extension HTTPAnswer {
    /// What ``FaultKind/status`` answers.
    init(_ answer: StatusAnswer) {
        self.init(status: answer.status, body: answer.effectiveBody, headers: answer.headers)
    }
}
