package import Core
import Synchronization

/// Remembers what the processor told.
package final class RecordingObserver: ProcessorObserver {
    private let recorded = Mutex<[ProcessorEvent]>([])

    package init() {}

    package func observe(_ event: ProcessorEvent) {
        recorded.withLock { $0.append(event) }
    }

    package var events: [ProcessorEvent] { recorded.withLock { $0 } }
}
