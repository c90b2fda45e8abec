import Glibc

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
