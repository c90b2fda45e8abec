import Glibc
import TestSupport

/// A bank simulator behind TLS, with an authority of its own.
struct TLSBank {
    let url: String
    let authority: CertificateAuthority
    private let proxy: Proxy

    init(before bank: BankProcess) async throws {
        authority = try await CertificateAuthority()
        try await authority.issue("bank", "subjectAltName=IP:127.0.0.1")
        proxy = try await Proxy(authority, before: bank)
        url = "https://127.0.0.1:\(proxy.port)"
    }

    /// Of a processor that talks to it.
    var environment: [String: String] { ["BANK_URL": url, "BANK_CA_FILE": authority.caFile] }

    func stop() async {
        await proxy.stop()
        authority.remove()
    }

    /// Shows the certificate `bank` of an authority.
    struct Proxy {
        let port: Int
        private let child: Child

        /// - Parameter clients: the authority whose certificates clients must show; `nil`: they need none.
        init(_ authority: CertificateAuthority, before bank: BankProcess, clients: String? = nil) async throws {
            let script = "\(PrivateServices.root)/Tests/TestSupport/tls-proxy.py"
            let arguments = [
                "python3", script, authority.path("bank.pem"), authority.path("bank.key"),
                "\(ServerURL(bank.url).port)",
            ]
            let child = try Child("/usr/bin/env", arguments + [clients].compactMap(\.self))
            self.child = child
            port = try await eventually("the bank spoke TLS", context: { child.lastWords }) {
                let output = child.standardOutput
                return output.hasSuffix("\n") ? output.dropLast().split(separator: " ").last.flatMap { Int($0) } : nil
            }
        }

        func stop() async {
            child.send(SIGKILL)
            _ = try? await child.end()
            child.directory.remove()
        }
    }
}
