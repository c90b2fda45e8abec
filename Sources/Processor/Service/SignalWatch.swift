import Dispatch
import Glibc
import Logging
import ServiceLifecycle
import UnixSignals

/// A first SIGTERM or SIGINT drains; a second ends the process at once, which is just as safe, only slower for the next one.
struct SignalWatch: Sendable {
    let logger: Logger

    /// Returns when the services have ended.
    func run(_ services: ServiceGroup) async throws {
        let release = Self.releaseWaitersForTheLog()
        defer { for source in release { source.cancel() } }
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

    /// With `log.overflow` `block` every thread that could hear of the signal may be waiting for the reader of the log: this
    /// one is not.
    private static func releaseWaitersForTheLog() -> [any DispatchSourceSignal] {
        let queue = DispatchQueue(label: "signals")
        return [SIGTERM, SIGINT].map { signal in
            let source = DispatchSource.makeSignalSource(signal: signal, queue: queue)
            source.setEventHandler { LogWriter.standardError.setOverflow(.drop) }
            source.resume()
            return source
        }
    }
}
