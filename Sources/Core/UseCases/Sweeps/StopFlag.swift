import Synchronization

/// Asks work that goes on for long to end at the next good moment.
package final class StopFlag: Sendable {
    private let flag = Mutex(false)

    package init() {}

    package var isSet: Bool { flag.withLock { $0 } }

    package func set() { flag.withLock { $0 = true } }
}
