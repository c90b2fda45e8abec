import Core
import HTTPClient
import TLSProbe

/// Whether the bank can be reached, with its TLS, and has the time that we have.
struct BankChecks: Sendable {
    let configuration: ProcessorConfiguration

    func findings() async -> [Finding] {
        let trouble = BankFailureWords(configuration.bank)
        do throws(HTTPError) {
            let client = try HTTPClient(
                configuration: .bank(configuration.bankTLS)
            )
            let request = HTTPRequest(
                method: .get,
                url: configuration.bank.base + "/health",
                timeout: min(configuration.limits.bankTimeout, .seconds(10))
            )
            return Self.findings(try await client.send(request), at: configuration.bank)
        } catch {
            let words = tlsFault?.description ?? trouble.words(for: error)
            return [Finding("bank", .wrong, "\(words); see bank.url (BANK_URL)")]
        }
    }

    /// Which certificate is wrong, and why: ours, too, of which libcurl says only that the connection ended.
    private var tlsFault: TLSFault? {
        let (bank, tls) = (configuration.bank, configuration.bankTLS)
        guard bank.usesTLS else { return nil }
        let probe = TLSProbe(
            host: bank.host,
            port: bank.port,
            caFile: tls.caFile,
            certFile: tls.certFile,
            keyFile: tls.keyFile
        )
        return probe.fault()
    }

    private static func findings(_ response: HTTPResponse, at bank: BankAddress) -> [Finding] {
        let way = bank.base.hasPrefix("https") ? "TLS, certificate trusted" : "plain text"
        var findings: [Finding] = []
        switch response.status {
        case 401, 403, 407:
            findings.append(Finding("bank", .wrong, "refuses us with \(response.status); check the access to it"))
        case 500...:
            findings.append(Finding("bank", .wrong, "answers \(response.status): it is out of order; ask the bank"))
        default: findings.append(Finding("bank", .ok, "\(bank.base) answers (\(way))"))
        }
        if let date = response.headers["Date"].flatMap({ Timestamp(httpDate: $0) }) {
            findings.append(DatabaseChecks.skew("clock of the bank", date.duration(to: SystemTime().now())))
        }
        return findings
    }
}
