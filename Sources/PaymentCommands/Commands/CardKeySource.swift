import ConfigurationText
package import Core
import HTTPClient

/// Where the processor's public key is.
package enum CardKeySource: Hashable, Sendable {
    case file(String)
    case address(String)

    /// - Throws: for an address over which anybody could hand out a key of their own.
    package init(_ text: String) throws(ConfigurationProblem) {
        guard let scheme = text.firstRange(of: "://") else {
            self = .file(text)
            return
        }
        let authority = text[scheme.upperBound...].prefix { $0 != "/" }
        guard !authority.contains("@") else { throw ConfigurationProblem("must not have a user in its address") }
        switch text[..<scheme.lowerBound].lowercased() {
        case "https": self = .address(text)
        case "http" where LoopbackHost.matches(Self.host(of: authority)): self = .address(text)
        case "http": throw ConfigurationProblem("must begin with https:// where it leads to another machine")
        default: throw ConfigurationProblem("must be a file, or an address that begins with https://")
        }
    }

    private static func host(of authority: Substring) -> String {
        if authority.hasPrefix("[") { return String(authority.dropFirst().prefix { $0 != "]" }) }
        return String(authority.prefix { $0 != ":" })
    }

    /// The key to seal cards for: of a set, the first that can be used.
    package func key() async throws(PaymentClientError) -> CardPublicKey {
        switch self {
        case .file(let path): try CardSealingKey.key(in: try Self.contents(path))
        case .address(let url): try CardSealingKey.key(in: try await Self.answer(url))
        }
    }

    private static func contents(_ path: String) throws(PaymentClientError) -> [UInt8] {
        do throws(FileProblem) {
            return try FileContents.of(path, upTo: JSONWebKey.maximumSize)
        } catch {
            throw PaymentClientError(.configuration, "the file of the card key cannot be read: \(error)")
        }
    }

    private static func answer(_ url: String) async throws(PaymentClientError) -> [UInt8] {
        let response: HTTPResponse
        do throws(HTTPError) {
            let client = try HTTPClient(
                configuration: HTTPClientConfiguration(maxConnections: 1, maxResponseBytes: JSONWebKey.maximumSize)
            )
            response = try await client.send(HTTPRequest(method: .get, url: url, timeout: .seconds(15)))
            await client.shutdown()
        } catch {
            throw PaymentClientError(.unavailable, "the card key cannot be fetched: \(error)", isPassing: true)
        }
        guard response.status == 200 else {
            throw PaymentClientError(
                .unavailable,
                "the card key cannot be fetched: its server answered \(response.status)",
                isPassing: true
            )
        }
        return response.body
    }
}

/// What is wrong with a value of the configuration, in words that never quote it.
package struct ConfigurationProblem: Error, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
