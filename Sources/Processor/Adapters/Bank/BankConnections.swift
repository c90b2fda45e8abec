import ConnectionKeeper
import Core
import Glibc
import HTTPClient
import Logging
import Postgres
import Synchronization
import ThreadExecutor

/// The connections to the bank: a client, and a keeper for the time after this process.
///
/// A bank may drop what its caller has hung up on, and the key with it, though it has executed the request
/// (docs/bank.md#behaviour). So nothing here hangs up on a request: neither the end of a command's wait, nor SIGTERM,
/// nor SIGKILL.
struct BankConnections: Sendable {
    let client: HTTPClient
    private let keeper: ConnectionKeeper?

    /// - Parameters:
    ///   - concurrency: the most requests in flight.
    ///   - loop: the thread that the requests are sent on; `nil` for one of its own.
    ///   - tls: for a bank at `https://`.
    ///   - limits: how long a request may go on without this process.
    ///   - database: where the keeper notes what it has seen after this process's death.
    /// - Throws: `HTTPError` where the process is out of threads or descriptors.
    init(
        concurrency: Int,
        on loop: EventLoop? = nil,
        tls: BankTLS,
        limits: HandlerLimits,
        database: PostgresConfiguration,
        logger: Logger
    ) throws(HTTPError) {
        let keeper = Self.startKeeper(
            linger: limits.bankTimeout + limits.bankWorstCase,
            note: Array(database.conninfo.utf8),
            logger: logger
        )
        self.keeper = keeper
        client = try HTTPClient(
            configuration: .bank(
                tls,
                maxConnections: concurrency,
                connectionHooks: keeper.map { keeper in
                    ConnectionHooks {
                        keeper.hold($0, id: $1)
                    } requesting: {
                        keeper.board.write($1, id: $0)
                    } answered: {
                        keeper.board.erase(id: $0)
                    } closing: {
                        keeper.board.erase(id: $0)
                        keeper.release(id: $0)
                    }
                }
            ),
            on: loop
        )
    }

    /// Waits for requests whose callers have given up (docs/correctness.md#cut-calls).
    ///
    /// - Parameters:
    ///   - grace: for how long at most.
    ///   - start: from when on.
    func drain(within grace: Duration, since start: ContinuousClock.Instant) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await client.whenIdle() }
            group.addTask { try? await Task.sleep(until: start + grace) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Before the process ends.
    func close() async {
        if await client.abandon() == 0 { keeper?.close() }
    }

    /// `nil`, and a warning, where the system does not let it start: it is a precaution, not a condition.
    private static func startKeeper(linger: Duration, note: [UInt8], logger: Logger) -> ConnectionKeeper? {
        do throws(ConnectionKeeperError) {
            return try ConnectionKeeper(
                executable: "/proc/self/exe",
                arguments: [HoldConnections.name, "\(linger.components.seconds + 1)"],
                note: note
            ) { event in
                switch event {
                case .unresponsive:
                    logger.warning("the connection keeper does not respond: new connections to the bank are not held")
                case .ended:
                    logger.warning("the connection keeper is gone until a restart: a kill hangs up on the bank")
                }
            }
        } catch {
            logger.warning("no connection keeper: a kill hangs up on the bank", metadata: ["error": "\(error)"])
            return nil
        }
    }
}

extension HTTPClientConfiguration {
    /// As every program here talks to the bank.
    static func bank(
        _ tls: BankTLS,
        maxConnections: Int = 1,
        connectionHooks: ConnectionHooks? = nil
    ) -> HTTPClientConfiguration {
        HTTPClientConfiguration(
            maxConnections: maxConnections,
            caFile: tls.caFile,
            certFile: tls.certFile,
            keyFile: tls.keyFile,
            userAgent: "payment-processor",
            connectionHooks: connectionHooks
        )
    }
}

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
