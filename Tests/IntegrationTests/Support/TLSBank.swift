import Glibc
import TestSupport

/// A bank simulator behind TLS, with an authority of its own.
struct TLSBank {
    let url: String
    let authority: CertificateAuthority
    private let proxy: Child

    init(before bank: BankProcess) async throws {
        authority = try await CertificateAuthority()
        try await authority.issue("bank", "subjectAltName=IP:127.0.0.1")
        let script = "\(PrivateServices.root)/Tests/TestSupport/tls-proxy.py"
        let port = ServerURL(bank.url).port
        let proxy = try Child(
            "/usr/bin/env",
            ["python3", script, authority.path("bank.pem"), authority.path("bank.key"), "\(port)"]
        )
        self.proxy = proxy
        let listening: Substring = try await eventually("the bank spoke TLS", context: { proxy.lastWords }) {
            let output = proxy.standardOutput
            return output.hasSuffix("\n") ? output.dropLast().split(separator: " ").last : nil
        }
        url = "https://127.0.0.1:\(listening)"
    }

    /// Of a processor that talks to it.
    var environment: [String: String] { ["BANK_URL": url, "BANK_CA_FILE": authority.caFile] }

    func stop() async {
        proxy.send(SIGKILL)
        _ = try? await proxy.end()
        proxy.directory.remove()
        authority.remove()
    }
}
