package import Core
import Testing

/// One thing that every store must do. Run all of them as the arguments of one test:
///
///     @Test("keeps the store contract", arguments: StoreCheck<Subject>.all)
///     func contract(check: StoreCheck<Subject>) async throws { try await check.run(on: subject) }
package struct StoreCheck<Subject: StoreUnderTest>: Sendable, CustomTestStringConvertible {
    package let testDescription: String
    private let body: @Sendable (StoreScene<Subject>) async throws -> Void

    init(_ name: String, _ body: @escaping @Sendable (StoreScene<Subject>) async throws -> Void) {
        testDescription = name
        self.body = body
    }

    package func run(on subject: Subject) async throws {
        try await body(StoreScene(subject: subject))
    }

    package static var all: [StoreCheck] {
        claims + completes + outcomes + rejections + order + waiting + races + queries + deadLetters + sealedCards
            + replays
            + schedule
            + sweepChecks
            + expiries
            + outbox
            + awaitedReplies
            + resolutions
            + orphans
            + members
    }
}

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
