package import Core

/// A store that has to keep the contract, and the way to its clock.
package protocol StoreUnderTest: Sendable {
    associatedtype
        Store: ResolutionStore & PaymentQueries & DeadLetterIntake & DeadLetterQueries
                & DeadLetterActions & ReplayStore
    associatedtype Sweeps: SweepStore & Outbox
    associatedtype Members: MemberStore

    /// What is in it already does not matter: every check uses a merchant and ids of its own.
    var store: Store { get }
    /// The same rows, as the sweeps and the relay see them. Empty of due rows at first.
    var sweeps: Sweeps { get }
    /// The processors. None at first.
    var members: Members { get }

    /// Lets at least that much time go by on the store's clock. The checks never ask for more than a tenth of a second at
    /// a time, and check again until a limit of ten seconds is reached.
    func pass(_ duration: Duration) async throws

    /// The store's clock, or one beside it that differs by less than ten seconds.
    var now: Timestamp { get }
}
