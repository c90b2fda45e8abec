import Core
import Testing

extension StoreCheck {
    static var races: [StoreCheck] {
        [
            StoreCheck("of many claims of one key at the same time exactly one is claimed") { scene in
                let command = try scene.authorize()
                let outcomes = try await scene.claimAll(Array(repeating: command, count: 24))
                #expect(outcomes.count(where: \.isClaimed) == 1)
                #expect(outcomes.count { $0.heldKey != nil } == 23)
                let view = try await scene.view(command.paymentID)
                #expect(view.operations.count == 1)
                #expect(view.history.count == 1)
            },
            StoreCheck("of many takeovers of one key at the same time exactly one is claimed") { scene in
                let command = try scene.authorize()
                let first = try await scene.claimed(command)
                let resting = OperationResult.resting(
                    first,
                    reason: "timeout",
                    sends: EarlierSends(unanswered: 1),
                    rest: .zero
                )
                #expect(try await scene.store.complete(resting) == .completed)
                try await scene.subject.pass(.milliseconds(1))
                let outcomes = try await scene.claimAll(Array(repeating: command, count: 24))
                #expect(outcomes.count(where: \.isClaimed) == 1)
                #expect(try await scene.view(command.paymentID).operations.map(\.fencingToken) == [2])
            },
            StoreCheck("of a capture and a void at the same time exactly one is claimed") { scene in
                for _ in 0..<8 {
                    let payment = try await scene.authorized()
                    let outcomes = try await scene.claimAll([
                        try scene.command(.capture(amount: nil), payment.id),
                        try scene.command(.void, payment.id),
                    ])
                    #expect(outcomes.count(where: \.isClaimed) == 1)
                    #expect(outcomes.count(where: \.isWaitForPayment) == 1)
                    try await scene.expectLegalHistory(payment.id)
                }
            },
            StoreCheck("of two authorizes of one payment id at the same time exactly one is claimed") { scene in
                let id = PaymentID(.random)
                let commands = try (0..<8).map { _ in try scene.authorize(id) }
                let outcomes = try await scene.claimAll(commands)
                #expect(outcomes.count(where: \.isClaimed) == 1)
                let codes = outcomes.compactMap { outcome in
                    if case .completed(let operation, isReplay: false) = outcome { operation.state } else { nil }
                }
                #expect(codes == Array(repeating: .rejected, count: 7))
            },
            StoreCheck("many payments at the same time are all claimed and completed") { scene in
                let commands = try (0..<64).map { _ in try scene.authorize() }
                let outcomes = try await scene.claimAll(commands)
                let results = outcomes.compactMap { outcome in
                    if case .claimed(let claim) = outcome { StoreScene<Subject>.success(claim) } else { nil }
                }
                #expect(results.count == 64)
                try await withThrowingTaskGroup(of: CompletionOutcome.self) { group in
                    for result in results { group.addTask { try await scene.store.complete(result) } }
                    for try await outcome in group { #expect(outcome == .completed) }
                }
                for command in commands {
                    #expect(try await scene.view(command.paymentID).payment.status == .authorized)
                }
            },
        ]
    }
}

extension StoreScene {
    fileprivate func claimAll(_ commands: [Command]) async throws -> [ClaimOutcome] {
        try await withThrowingTaskGroup(of: ClaimOutcome.self) { group in
            for command in commands { group.addTask { try await claim(command) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}
