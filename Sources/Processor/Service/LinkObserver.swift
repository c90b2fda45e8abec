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
