import Core
import Glibc

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
