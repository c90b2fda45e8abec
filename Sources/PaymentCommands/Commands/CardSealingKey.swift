import ConfigurationText
package import Core
import Glibc
import HTTPClient

/// A public key of the processor, for which cards are sealed (docs/contract.md#sealed-cards): nobody else can read them.
///
/// Keys change: load it again now and then, and whenever a command is rejected with `sealed_card: unknown_key`.
public struct CardSealingKey: Sendable, CustomStringConvertible {
    package let key: CardPublicKey

    /// The key's `kid`, by which the processor finds its private half.
    public var id: String { key.id }

    /// - Parameter json: a JSON Web Key, or a set of them, of which the first that can be used counts.
    /// - Throws: `PaymentClientError.Code.configuration` where there is none.
    public init(json: [UInt8]) throws(PaymentClientError) {
        key = try Self.key(in: json)
    }

    private init(_ key: CardPublicKey) {
        self.key = key
    }

    /// Reads it from a file, or fetches it from the processor: `https://…/.well-known/jwks.json`. `http://` only leads to this machine.
    ///
    /// - Throws: `configuration` for an address or a file that cannot be used, `unavailable` where nobody answers within 15 s.
    public static func load(from source: String) async throws(PaymentClientError) -> CardSealingKey {
        let place: CardKeySource
        do throws(ConfigurationProblem) {
            place = try CardKeySource(source)
        } catch {
            throw PaymentClientError(.configuration, "the source of the card key \(error)")
        }
        return CardSealingKey(try await place.key())
    }

    static func key(in json: [UInt8]) throws(PaymentClientError) -> CardPublicKey {
        do throws(CardKeyProblem) {
            guard let key = try JSONWebKey.publicKeys(json).first else {
                throw CardKeyProblem("holds no key that cards can be sealed for")
            }
            return key
        } catch {
            throw PaymentClientError(.configuration, "the card key's source \(error)")
        }
    }

    public var description: String { "card key \(id)" }
}

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

/// A small file, read whole.
enum FileContents {
    /// - Parameter limit: in bytes; of a larger file the rest is left out.
    static func of(_ path: String, upTo limit: Int) throws(FileProblem) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileProblem(number: errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 16 * 1_024)
        while bytes.count < limit {
            let count = read(descriptor, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileProblem(number: errno) }
            if count == 0 { break }
            bytes += block[..<count]
        }
        return bytes
    }
}

/// Why a file cannot be used, in the system's words.
package struct FileProblem: Error, Equatable, CustomStringConvertible {
    package let number: Int32

    /// - Parameter number: an `errno`.
    package init(number: Int32) {
        self.number = number
    }

    package var description: String { String(cString: strerror(number)) }
}
