import AMQP
import Logging
import Postgres

/// Tells `/readyz` and the log what becomes of the connections.
struct LinkObserver: Sendable {
    let readiness: Readiness
    let logger: Logger

    func databaseChanged(_ state: PostgresPoolState) {
        switch state {
        case .starting:
            readiness.setDatabase(.connecting)
        case .up:
            readiness.setDatabase(.ok)
            logger.info("database connected")
        case .down(let error):
            readiness.setDatabase(.lost)
            logger.warning("database lost, trying again", metadata: ["error": "\(error)"])
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
            logger.info("broker connected", metadata: ["connection": "\(connection)"])
        case .disconnected(let error) where error.code == .closed:
            break
        case .disconnected(let error):
            let metadata: Logger.Metadata = ["connection": "\(connection)", "error": "\(error)"]
            logger.warning("broker lost, trying again", metadata: metadata)
        case .blocked(let reason):
            let metadata: Logger.Metadata = ["connection": "\(connection)", "reason": "\(reason)"]
            logger.warning("the broker takes no messages", metadata: metadata)
        case .unblocked:
            logger.info("the broker takes messages again", metadata: ["connection": "\(connection)"])
        }
    }
}
