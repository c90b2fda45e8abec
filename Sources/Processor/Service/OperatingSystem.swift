import Core
import Dispatch
import Glibc
import Logging
import Program
import ServiceLifecycle
import UnixSignals

/// The clocks of the operating system.
struct SystemTime: TimeSource {
    func now() -> Timestamp {
        Timestamp(microseconds: Self.read(CLOCK_REALTIME))
    }

    func uptime() -> Duration {
        // Counts while the machine sleeps, as the bank's and the database's time do.
        .microseconds(Self.read(CLOCK_BOOTTIME))
    }

    func sleep(for duration: Duration) async throws(CancellationError) {
        do {
            try await Task.sleep(for: duration)
        } catch {
            throw CancellationError()
        }
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}

/// The operating system's source of randomness.
struct SystemRandom: RandomSource {
    func next() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }
}

/// Which start of which processor this is.
enum ProcessorIdentity {
    /// Host, process and time of the start, so that no other start ever has it.
    static func make(startedAt start: Timestamp = SystemTime().now()) -> String {
        var name = [CChar](repeating: 0, count: 256)
        // Cut short where it is longer; the last byte stays 0.
        let host =
            gethostname(&name, name.count - 1) == 0
            ? String(decoding: name.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self) : "host"
        return "\(host)-\(getpid())-\(String(start.microseconds, radix: 36))"
    }
}

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
