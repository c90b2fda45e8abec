/// Why a TLS connection comes to nothing, in words.
package struct TLSFault: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }

    /// - Parameters:
    ///   - code: what OpenSSL says of the server's certificate (`X509_V_ERR_…` in x509_vfy.h).
    ///   - certificate: the server's.
    ///   - server: its name and port.
    ///   - authorities: the file of those that are trusted.
    static func server(_ code: Int, _ certificate: Certificate, _ server: String, authorities: String) -> TLSFault {
        let subject = "the certificate of \(server) (\(certificate.subject))"
        return switch code {
        case 9: TLSFault("\(subject) is not valid before \(certificate.begin)")
        case 10: TLSFault("\(subject) has expired on \(certificate.end)")
        case 18: TLSFault("\(subject) is self-signed and not in \(authorities)")
        case 2, 19, 20, 21, 7:
            TLSFault("\(subject) is issued by \(certificate.issuer), which is not trusted by \(authorities)")
        case 62, 63, 64: TLSFault("\(subject) is for another name: \(certificate.names)")
        default: TLSFault("\(subject) is not accepted: \(Certificate.words(of: code))")
        }
    }

    /// - Parameters:
    ///   - reason: the alert that the server has sent (`SSL_R_…` in sslerr.h), or what went wrong in the handshake.
    ///   - certificate: our own, where we have one.
    static func handshake(_ reason: Int, _ certificate: Certificate?, _ server: String) -> TLSFault {
        let own = certificate.map { "the client certificate (\($0.subject))" } ?? "the client without a certificate"
        return switch reason {
        case 1_116: TLSFault("\(server) wants a client certificate")
        case 1_040 where certificate == nil:
            TLSFault("\(server) broke off the handshake; it may want a client certificate")
        case 1_045: TLSFault("\(server) refuses \(own): it has expired")
        case 1_044: TLSFault("\(server) refuses \(own): it is revoked")
        case 1_048:
            TLSFault("\(server) refuses \(own): its issuer\(certificate.map { ", \($0.issuer)," } ?? "") is not known")
        case 1_042, 1_043, 1_046: TLSFault("\(server) refuses \(own)")
        case 1_070, 258, 259: TLSFault("\(server) offers no TLS 1.2 or later")
        case 267: TLSFault("\(server) does not speak TLS at this port")
        default: TLSFault("the TLS handshake with \(server) failed")
        }
    }
}
