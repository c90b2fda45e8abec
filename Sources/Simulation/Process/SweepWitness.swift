import Core
import Synchronization

/// What sweeps have brought about, noted where it is written: behind everything that may be put before the ports of a process.
final class SweepWitness: Sendable {
    struct Expiry: Sendable {
        let paymentID: PaymentID
        let authorizationID: String?
        /// The latest time that the bank's clock had ever shown when it was written.
        let bankTime: Timestamp
        let grace: Duration
    }

    private struct State {
        var finished: [SweepRunID] = []
        var expiries: [Expiry] = []
    }

    /// `sweeps.expire.grace` of the seed.
    let grace: Duration
    private let bankClock: JumpingTime
    private let state = Mutex(State())

    init(bankClock: JumpingTime, grace: Duration) {
        self.grace = grace
        self.bankClock = bankClock
    }

    var finished: [SweepRunID] { state.withLock { $0.finished } }
    var expiries: [Expiry] { state.withLock { $0.expiries } }

    func noteFinish(of run: SweepRunID) {
        state.withLock { $0.finished.append(run) }
    }

    func noteExpiry(of payment: PaymentID, _ authorizationID: String?, grace: Duration) {
        let expiry = Expiry(
            paymentID: payment,
            authorizationID: authorizationID,
            bankTime: bankClock.furthest,
            grace: grace
        )
        state.withLock { $0.expiries.append(expiry) }
    }
}
