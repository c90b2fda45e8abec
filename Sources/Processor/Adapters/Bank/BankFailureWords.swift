import Core
import Glibc
import HTTPClient
import Synchronization

/// Why the bank could not be asked last, in words that name it: for the log.
final class BankFailureWords: Sendable {
    /// Host and port, as they stand in `bank.url`.
    private let authority: String
    private let host: String
    private let last = Mutex<(code: String, words: String)?>(nil)

    init(_ address: BankAddress) {
        let rest = address.base[(address.base.firstRange(of: "://")?.upperBound ?? address.base.startIndex)...]
        authority = String(rest.prefix { $0 != "/" })
        host = address.host
    }

    func note(_ error: HTTPError) {
        let words = words(for: error)
        last.withLock { $0 = (error.code.rawValue, words) }
    }

    /// - Parameter code: the cause as the breaker has it.
    /// - Returns: `nil` where the last failure was another one.
    func words(for code: String?) -> String? {
        last.withLock { $0?.code == code ? $0?.words : nil }
    }

    func words(for error: HTTPError) -> String {
        switch error.cause {
        case .system(ECONNREFUSED): "connection refused by \(authority)"
        case .certificateExpired: "certificate of \(host) has expired"
        case .certificateNotYetValid: "certificate of \(host) is not valid yet"
        case .certificateSelfSigned: "certificate of \(host) is self-signed and not trusted"
        case .certificateUntrusted: "the issuer of the certificate of \(host) is not trusted"
        case .certificateOfAnotherName: "certificate of \(host) is for another name"
        default: "\(error.explanation), \(authority)"
        }
    }
}
