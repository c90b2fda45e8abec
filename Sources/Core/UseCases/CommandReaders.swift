import Synchronization

/// The readings of the current connection, and whether there may be new ones.
package final class CommandReaders: Sendable {
    private struct State {
        var isDraining = false
        var isStopped = false
        /// In the order of their coming.
        var readings: [CommandReading] = []
    }

    private let state = Mutex(State())

    package init() {}

    package var isDraining: Bool { state.withLock { $0.isDraining } }

    /// Whether queues are to be read.
    package var areWanted: Bool { state.withLock { !$0.isStopped && !$0.isDraining } }

    /// There may be readings again, on another connection perhaps.
    package func begin() { state.withLock { $0.isStopped = false } }

    /// Waits until the subscription of a reading has ended; it is stopped with the others, at once where they are stopped already.
    package func stopping(_ reading: CommandReading) async {
        let isWanted = state.withLock { state in
            state.readings.append(reading)
            return !state.isStopped && !state.isDraining
        }
        if !isWanted { reading.stop() }
        await reading.untilClosed()
        state.withLock { $0.readings.removeAll { $0 === reading } }
    }

    /// When it is known anew whose the queues are.
    package func review() {
        for reading in state.withLock({ $0.readings }) { reading.review() }
    }

    /// Reads nothing more until `begin`.
    package func stop() {
        let readings = state.withLock { state in
            state.isStopped = true
            return state.readings
        }
        for reading in readings { reading.stop() }
    }

    /// Reads nothing more.
    package func drain() {
        state.withLock { $0.isDraining = true }
        stop()
    }
}
