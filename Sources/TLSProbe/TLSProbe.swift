import COpenSSL
import Glibc

/// Looks into why a TLS connection was refused. The libraries that make our connections say that a certificate is wrong, and not which one
/// and why; so it is tried once more here, as far as the handshake, without sending anything.
package struct TLSProbe: Sendable {
    /// What comes before the handshake.
    package enum Greeting: Sendable {
        case none
        /// PostgreSQL is asked whether it speaks TLS.
        case postgres
    }

    /// As it must stand in the server's certificate.
    package var host: String
    /// Where to connect to, if not to `host`.
    package var address: String?
    package var port: Int
    /// PEM files. Without authorities those of the system count.
    package var caFile: String?
    package var certFile: String?
    package var keyFile: String?
    package var greeting: Greeting

    package init(
        host: String,
        address: String? = nil,
        port: Int,
        caFile: String?,
        certFile: String?,
        keyFile: String?,
        greeting: Greeting = .none
    ) {
        self.host = host
        self.address = address
        self.port = port
        self.caFile = caFile
        self.certFile = certFile
        self.keyFile = keyFile
        self.greeting = greeting
    }

    /// In seconds: for each step of the handshake, and for an alert after it.
    private static let patience = 2

    private var server: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Blocks for a few seconds at most.
    ///
    /// - Returns: `nil` where nothing was found this time.
    package func fault() -> TLSFault? {
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_client_method()) else { return nil }
        defer { SSL_CTX_free(context) }
        guard copenssl_set_least_version(context) == 1 else { return nil }
        if let fault = load(into: context) { return fault }
        guard let descriptor = connected() else { return nil }
        defer { close(descriptor) }
        guard isGreeted(descriptor) else { return TLSFault("\(server) does not speak TLS") }
        guard let ssl = SSL_new(context) else { return nil }
        defer { SSL_free(ssl) }
        return fault(ssl, descriptor)
    }

    /// Has OpenSSL accept no certificate but for this name or address.
    ///
    /// - Parameter context: an `SSL_CTX`.
    package static func expect(_ host: String, in context: UnsafeMutableRawPointer) -> Bool {
        let parameters = SSL_CTX_get0_param(OpaquePointer(context))
        return X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1
            || X509_VERIFY_PARAM_set1_host(parameters, host, 0) == 1
    }

    private func load(into context: OpaquePointer) -> TLSFault? {
        if let caFile {
            guard SSL_CTX_load_verify_locations(context, caFile, nil) == 1 else {
                return TLSFault("the file of authorities \(caFile) cannot be read, or holds no certificate")
            }
        } else {
            SSL_CTX_set_default_verify_paths(context)
        }
        guard let certFile, let keyFile else { return nil }
        guard SSL_CTX_use_certificate_chain_file(context, certFile) == 1 else {
            return TLSFault("the client certificate \(certFile) cannot be read, or is none")
        }
        guard SSL_CTX_use_PrivateKey_file(context, keyFile, SSL_FILETYPE_PEM) == 1 else {
            return TLSFault("the key \(keyFile) cannot be read, or is not that of the client certificate \(certFile)")
        }
        return nil
    }

    private func fault(_ ssl: OpaquePointer, _ descriptor: Int32) -> TLSFault? {
        let parameters = SSL_get0_param(ssl)
        if X509_VERIFY_PARAM_set1_ip_asc(parameters, host) != 1 {
            SSL_set1_host(ssl, host)
            copenssl_set_server_name(ssl, host)
        }
        // The handshake goes on whatever the certificate is: its verdict is asked for afterwards, and nothing is sent.
        SSL_set_verify(ssl, SSL_VERIFY_NONE, nil)
        SSL_set_fd(ssl, descriptor)
        ERR_clear_error()
        let isDone = SSL_connect(ssl) == 1
        if let certificate = SSL_get1_peer_certificate(ssl) {
            defer { X509_free(certificate) }
            let verdict = SSL_get_verify_result(ssl)
            if verdict != X509_V_OK {
                let authorities = caFile ?? "the system's authorities"
                return .server(Int(verdict), Certificate(certificate), server, authorities: authorities)
            }
        }
        // Of a client certificate TLS 1.3 says only after the handshake what is wrong with it.
        var byte: UInt8 = 0
        if isDone, SSL_read(ssl, &byte, 1) > 0 { return nil }
        let reason = reasonOfLastError()
        if isDone, reason == 0 { return nil }
        return .handshake(reason, certFile.flatMap(Certificate.init(file:)), server)
    }

    /// `ERR_GET_REASON`, which is a macro.
    private func reasonOfLastError() -> Int {
        let error = ERR_peek_last_error()
        return Int(error & 0x7f_ffff)
    }

    private func isGreeted(_ descriptor: Int32) -> Bool {
        guard greeting == .postgres else { return true }
        let request: [UInt8] = [0, 0, 0, 8, 4, 210, 22, 47]
        guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { return false }
        var answer: UInt8 = 0
        return recv(descriptor, &answer, 1, 0) == 1 && answer == UInt8(ascii: "S")
    }

    private func connected() -> Int32? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address ?? host, "\(port)", &hints, &list) == 0 else { return nil }
        defer { freeaddrinfo(list) }
        var next = list
        while let candidate = next?.pointee {
            let type = candidate.ai_socktype | Int32(SOCK_CLOEXEC.rawValue)
            let descriptor = socket(candidate.ai_family, type, candidate.ai_protocol)
            guard descriptor >= 0 else { return nil }
            var limit = timeval(tv_sec: Self.patience, tv_usec: 0)
            let size = socklen_t(MemoryLayout<timeval>.size)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
            setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
            if connect(descriptor, candidate.ai_addr, candidate.ai_addrlen) == 0 { return descriptor }
            close(descriptor)
            next = candidate.ai_next
        }
        return nil
    }
}

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
