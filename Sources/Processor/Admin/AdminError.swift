import Core
import HTTPTypes
import Hummingbird
import NIOCore

/// An answer that is no success: `{"error","message"}` (docs/contract.md#admin-api).
struct AdminError: Error, Hashable {
    let status: HTTPResponse.Status
    /// One of few: `invalid_request`, `unauthorized`, `forbidden`, `not_found`, `method_not_allowed`,
    /// `unsupported_media_type`, `unavailable`,
    /// `internal`, and those of `ResolutionRefusal`.
    let code: String
    let message: String
    /// With `method_not_allowed`: what the path takes.
    var methods: [String] = []

    static func invalid(_ problem: InvalidField) -> AdminError {
        AdminError(status: .badRequest, code: "invalid_request", message: problem.description)
    }

    static let unauthorized = AdminError(
        status: .unauthorized,
        code: "unauthorized",
        message: "a valid bearer token is needed: Authorization: Bearer <admin.token>"
    )
    static let forbidden = AdminError(
        status: .forbidden,
        code: "forbidden",
        message: "without admin.token only requests from this machine are served"
    )

    static let readOnly = AdminError(
        status: .forbidden,
        code: "forbidden",
        message: "this token is one to look with: to act, one with the role operate is needed"
    )

    static let notJSON = AdminError(
        status: .unsupportedMediaType,
        code: "unsupported_media_type",
        message: "without admin.token a POST must have the Content-Type application/json"
    )

    static func notFound(_ message: String) -> AdminError {
        AdminError(status: .notFound, code: "not_found", message: message)
    }

    static func notAllowed(_ methods: [String]) -> AdminError {
        var error = AdminError(
            status: .methodNotAllowed,
            code: "method_not_allowed",
            message: "this path takes \(methods.joined(separator: ", "))"
        )
        error.methods = methods
        return error
    }

    /// A refusal of the store says nothing to a client that it could act upon.
    init(_ error: StoreError) {
        switch error.code {
        case .unavailable:
            self.init(
                status: .serviceUnavailable,
                code: "unavailable",
                message: "the database cannot be reached; try again later"
            )
        case .refused, .unreadable, .bankIDTaken: self = .internal
        }
    }

    static let `internal` = AdminError(
        status: .internalServerError,
        code: "internal",
        message: "the request failed; the log says why"
    )

    init(status: HTTPResponse.Status, code: String, message: String) {
        self.status = status
        self.code = code
        self.message = message
    }

    var response: Response {
        var response = Response(
            status: status,
            json: .object(["error": .string(code), "message": .string(message)])
        )
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        if !methods.isEmpty { response.headers[.allow] = methods.joined(separator: ", ") }
        return response
    }
}

extension Response {
    init(status: HTTPResponse.Status = .ok, json: JSONValue) {
        self.init(status: status, type: "application/json", bytes: json.encoded)
    }

    init(status: HTTPResponse.Status = .ok, type: String, bytes: [UInt8]) {
        self.init(
            status: status,
            headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }
}
