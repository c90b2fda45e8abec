import Glibc
import Logging
import ServiceLifecycle
import UnixSignals

/// A first SIGTERM or SIGINT drains; a second ends the process at once, which is just as safe, only slower for the next one.
struct SignalWatch: Sendable {
    let logger: Logger

    /// Returns when the services have ended.
    func run(_ services: ServiceGroup) async throws {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var isDraining = false
                for await signal in signals {
                    guard !isDraining else {
                        logger.warning("second signal: ending at once")
                        LogWriter.standardError.flush()
                        _exit(1)
                    }
                    isDraining = true
                    logger.info("draining", metadata: ["signal": "\(signal)"])
                    await services.triggerGracefulShutdown()
                }
            }
            group.addTask { try await services.run() }
            defer { group.cancelAll() }
            // The signals never end by themselves.
            try await group.next()
        }
    }
}
