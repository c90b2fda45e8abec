import AMQP
import Logging
import Postgres
import Synchronization

/// Tells `/readyz` and the log what becomes of the connections.
struct LinkObserver: Sendable {
    let readiness: Readiness
    let logger: Logger
    /// Each is reported once, however often it is tried in vain, and once more when it is back.
    private let outages: OutageLog
    let spell: ReadOnlySpell
    /// The connections to the broker that are lost.
    private let lost = Lost()

    init(readiness: Readiness, logger: Logger, outages: OutageLog = OutageLog()) {
        self.readiness = readiness
        self.logger = logger
        self.outages = outages
        spell = ReadOnlySpell(logger: logger, outages: outages)
    }

    private final class Lost: Sendable {
        let connections = Mutex<Set<String>>([])
    }

    func databaseChanged(_ state: PostgresPoolState) {
        switch state {
        case .starting:
            readiness.setDatabase(.connecting)
        case .up:
            readiness.setDatabase(.ok)
            // What can be read from is no sign that it can be written to: the watch finds that out.
            if spell.isOn { return }
            if let duration = outages.ended(ReadOnlySpell.outage) {
                let metadata: Logger.Metadata = [LogKey.unavailableFor.rawValue: "\(duration.inWords)"]
                logger.notice("the database is available again", metadata: metadata)
            } else {
                logger.info("database connected")
            }
        case .down(let error) where error.isReadOnlyTransaction:
            readiness.setDatabase(.lost)
            spell.refused()
        case .down(let error):
            readiness.setDatabase(.lost)
            if outages.began(ReadOnlySpell.outage, "\(error)") {
                logger.warning("the database is unavailable, trying again", metadata: ["error": "\(error)"])
            }
        case .closed:
            readiness.setDatabase(.lost)
        }
    }

    /// Of the connection that commands come in on. Ready is only who has subscribed, which the subscription itself tells.
    func brokerChanged(_ event: AMQPSessionEvent) {
        if case .disconnected = event { readiness.setBroker(.lost) }
        log(event, connection: "consumer")
    }

    /// Of the connection that replies go out on.
    func publisherChanged(_ event: AMQPSessionEvent) {
        log(event, connection: "publisher")
    }

    /// Of the connection that dead letters come in on.
    func deadLettersChanged(_ event: AMQPSessionEvent) {
        log(event, connection: "dead letters")
    }

    /// Of the connection that heartbeats go over: it publishes all the time, so the broker tells it of every alarm.
    func heartbeatChanged(_ event: AMQPSessionEvent) {
        switch event {
        case .blocked(let reason): readiness.setBlocked(reason)
        case .unblocked, .connected, .disconnected: readiness.setBlocked(nil)
        }
        if case .disconnected(let error) = event {
            for part in [Readiness.Part.publishing, .consuming] { readiness.failed(part, "\(error)") }
        }
    }

    private func log(_ event: AMQPSessionEvent, connection: String) {
        switch event {
        case .connected:
            connected(connection)
        case .disconnected(let error) where error.code == .closed:
            break
        case .disconnected(let error):
            lost.connections.withLock { _ = $0.insert(connection) }
            if outages.began("broker", "\(error)") {
                logger.warning("the broker is unavailable, trying again", metadata: ["error": "\(error)"])
            }
        case .blocked(let reason):
            let metadata: Logger.Metadata = ["connection": "\(connection)", "reason": "\(reason)"]
            logger.warning("the broker takes no messages", metadata: metadata)
        case .unblocked:
            logger.info("the broker takes messages again", metadata: ["connection": "\(connection)"])
        }
    }

    /// The broker is back when all connections are.
    private func connected(_ connection: String) {
        let areAllBack = lost.connections.withLock { connections in
            connections.remove(connection)
            return connections.isEmpty
        }
        logger.debug("broker connected", metadata: ["connection": "\(connection)"])
        guard areAllBack, let duration = outages.ended("broker") else { return }
        let metadata: Logger.Metadata = [LogKey.unavailableFor.rawValue: "\(duration.inWords)"]
        logger.notice("the broker is available again", metadata: metadata)
    }
}

/// A time in which the database can only be read from: connections are made and lost all the time, and all of them are one spell. It ends
/// when a session that has begun later than the last refusal may write.
final class ReadOnlySpell: Sendable {
    private let logger: Logger
    private let outages: OutageLog
    private let lastRefusal = Mutex<ContinuousClock.Instant?>(nil)

    static let outage = "database"

    init(logger: Logger, outages: OutageLog = OutageLog()) {
        self.logger = logger
        self.outages = outages
    }

    var isOn: Bool { lastRefusal.withLock { $0 != nil } }

    /// A statement was refused, or a session says that it may not write.
    func refused() {
        lastRefusal.withLock { $0 = .now }
        if outages.began(Self.outage, "read-only") {
            logger.warning(
                "the database can only be read from, trying again",
                metadata: ["error": "default_transaction_read_only is on, or the server is a standby"]
            )
        }
    }

    /// A session may write.
    ///
    /// - Parameter begun: when it was begun, or earlier.
    /// - Returns: whether that is the end of the spell, or there is none.
    func mayWrite(sessionOf begun: ContinuousClock.Instant) -> Bool {
        let hasEnded = lastRefusal.withLock { last in
            guard let refusal = last else { return false }
            guard refusal < begun else { return false }
            last = nil
            return true
        }
        guard hasEnded else { return !isOn }
        if let duration = outages.ended(Self.outage) {
            let metadata: Logger.Metadata = [LogKey.unavailableFor.rawValue: "\(duration.inWords)"]
            logger.notice("the database can be written to again", metadata: metadata)
        }
        return true
    }
}
