import Core

extension Readiness {
    /// One kind of work that a database refuses although it answers: a lock that is held, a table that is missing, a trigger that raises.
    ///
    /// One command may be refused for what it is, and is tried again. Where nothing but refusals of several commands has been seen
    /// for some time, it is the database.
    struct Refusals {
        /// So many commands,
        private static let least = 3
        /// over so long, mean that no command can be worked on.
        private static let patience = Duration.seconds(5)
        /// What was refused is tried again sooner than this: without another refusal, nothing is known any more.
        private static let memory = Duration.seconds(60)

        /// At most `least` of them.
        private var commands: Set<StoredCommand> = []
        private var first: ContinuousClock.Instant?
        private var last: ContinuousClock.Instant?
        private var cause = ""

        /// - Parameter error: one of a database that does not answer says nothing about what it refuses.
        mutating func note(_ error: StoreError, of refused: Set<StoredCommand>, at now: ContinuousClock.Instant) {
            guard error.isAnswered else { return }
            if let last, now - last > Self.memory { self = Refusals() }
            for command in refused where commands.count < Self.least { commands.insert(command) }
            first = first ?? now
            last = now
            cause = error.detail
        }

        func problem(at now: ContinuousClock.Instant) -> String? {
            guard let first, let last, commands.count >= Self.least,
                now - first > Self.patience, now - last <= Self.memory
            else {
                return nil
            }
            return "the database has refused for \((now - first).components.seconds) s: \(cause)"
        }
    }
}
