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
