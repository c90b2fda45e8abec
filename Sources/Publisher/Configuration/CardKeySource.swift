import ConfigurationText
import Core
import HTTPClient

/// Where the processor's public key is: `publisher.card-key`.
enum CardKeySource: Hashable, Sendable {
    case file(String)
    case address(String)

    /// - Throws: for an address over which anybody could hand out a key of their own.
    init(_ text: String) throws(ConfigurationProblem) {
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
    func key() async throws(Failure) -> CardPublicKey {
        let text =
            switch self {
            case .file(let path): try Self.contents(path)
            case .address(let url): try await Self.answer(url)
            }
        do throws(CardKeyProblem) {
            guard let key = try JSONWebKey.publicKeys(text).first else {
                throw CardKeyProblem("holds no key that cards can be sealed for")
            }
            return key
        } catch {
            throw Failure(.configuration, "\(BrokerKey.cardKey.rawValue): it \(error)")
        }
    }

    private static func contents(_ path: String) throws(Failure) -> [UInt8] {
        do throws(FileProblem) {
            return try FileContents.of(path, upTo: JSONWebKey.maximumSize)
        } catch {
            throw Failure(.configuration, "\(BrokerKey.cardKey.rawValue): the file cannot be read: \(error)")
        }
    }

    private static func answer(_ url: String) async throws(Failure) -> [UInt8] {
        let response: HTTPResponse
        do throws(HTTPError) {
            let client = try HTTPClient(
                configuration: HTTPClientConfiguration(maxConnections: 1, maxResponseBytes: JSONWebKey.maximumSize)
            )
            response = try await client.send(HTTPRequest(method: .get, url: url, timeout: .seconds(15)))
            await client.shutdown()
        } catch {
            throw Failure(.unavailable, "\(BrokerKey.cardKey.rawValue): the key cannot be fetched: \(error)")
        }
        guard response.status == 200 else {
            throw Failure(.unavailable, "\(BrokerKey.cardKey.rawValue): the server answered \(response.status)")
        }
        return response.body
    }
}

/// What is wrong with a value of the configuration, in words that never quote it.
struct ConfigurationProblem: Error, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
