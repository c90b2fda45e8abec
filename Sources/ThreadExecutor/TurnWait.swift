import Glibc

/// What a turn ends with: when the next one is due at the latest, unless `ThreadExecutor.wake()` or a job of the executor asks for it.
package struct TurnWait: Sendable {
    /// -1 for none.
    package var descriptor: Int32
    /// The events of `poll` that end the wait.
    package var events: Int16
    /// -1: as long as it takes.
    package var milliseconds: Int32

    package init(descriptor: Int32 = -1, events: Int16 = Int16(POLLIN), milliseconds: Int32 = -1) {
        self.descriptor = descriptor
        self.events = events
        self.milliseconds = milliseconds
    }

    /// There is more to do at once.
    package static let none = TurnWait(milliseconds: 0)
    /// Until it is asked for.
    package static let forever = TurnWait()
}
