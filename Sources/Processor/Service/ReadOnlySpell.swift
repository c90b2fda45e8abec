import Logging
import Synchronization

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
