/// One kind of scheduled work. Running it at any time, by any number of processors at once, is safe.
package protocol Sweep: Sendable {
    /// Works until nothing is due that was due at the start, or until it is told to stop.
    ///
    /// - Parameter stop: looked at between two batches.
    func run(until stop: StopFlag) async throws(StoreError) -> SweepReport
}
