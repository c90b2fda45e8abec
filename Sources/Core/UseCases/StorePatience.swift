/// Tries a call of the store again while the store is away, for as long as a delivery may be held
/// (docs/correctness.md#long-waits).
struct StorePatience: Sendable {
    let time: any TimeSource
    let random: any RandomSource
    let observer: any ProcessorObserver
    let policy: RetryPolicy

    func callAsFunction<Value>(
        _ work: () async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let started = time.uptime()
        var attempt = 0
        while true {
            do throws(StoreError) {
                return try await work()
            } catch {
                observer.observe(.storeFailed(error))
                guard error.isRetriable, time.uptime() - started < policy.storePatience else { throw error }
                do throws(CancellationError) {
                    try await time.sleep(for: policy.backoff(attempt: attempt, random: random.next()))
                } catch { throw StoreError(.unavailable, detail: "cancelled") }
                attempt += 1
            }
        }
    }
}
