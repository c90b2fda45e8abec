import Simulation
import Testing

@testable import Core

@Suite("Lanes", .timeLimit(.minutes(1)))
struct LanesTests {
    private static let payment = PaymentID(UniqueID(high: 1, low: 1))
    private static let other = PaymentID(UniqueID(high: 2, low: 2))

    private func simulate(_ work: @escaping @Sendable (VirtualTime, Lanes) async throws -> Void) throws {
        for seed in [nil, 1, 2, 3] as [UInt64?] {
            let time = VirtualTime()
            try StepExecutor(seed: seed).run(in: time) { try await work(time, Lanes()) }
        }
    }

    @Test("those of one payment go through one after the other, in the order of their tickets")
    func order() throws {
        try simulate { time, lanes in
            let log = Log()
            let tickets = (0..<20).map { _ in lanes.ticket(for: Self.payment) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, ticket) in tickets.enumerated().reversed() {
                    group.addTask {
                        _ = try await lanes.enter(ticket)
                        log.add("in \(index)")
                        try await time.sleep(for: .milliseconds(5))
                        log.add("out \(index)")
                        lanes.leave(ticket)
                    }
                }
                try await group.waitForAll()
            }
            #expect(log.lines == (0..<20).flatMap { ["in \($0)", "out \($0)"] })
        }
    }

    @Test("those of different payments go through side by side")
    func sideBySide() throws {
        try simulate { _, lanes in
            let first = lanes.ticket(for: Self.payment)
            let second = lanes.ticket(for: Self.other)
            _ = try await lanes.enter(first)
            _ = try await lanes.enter(second)
            lanes.leave(second)
            lanes.leave(first)
        }
    }

    @Test("what the last one settled is told to the next, and forgotten when nobody waits")
    func settled() throws {
        let operation = try PaymentFixture.operation(.capture, .succeeded)
        let known = Lanes.Settled(command: try PaymentFixture.command(.capture), operation: operation)
        try simulate { _, lanes async throws in
            let tickets = (0..<4).map { _ in lanes.ticket(for: Self.payment) }
            #expect(try await lanes.enter(tickets[0]) == nil)
            lanes.leave(tickets[0], settled: known)
            #expect(try await lanes.enter(tickets[1])?.operation == operation)
            lanes.leave(tickets[1])
            #expect(try await lanes.enter(tickets[2])?.operation == operation)
            lanes.leave(tickets[2])
            lanes.leave(tickets[3])
            let late = lanes.ticket(for: Self.payment)
            #expect(try await lanes.enter(late) == nil)
            lanes.leave(late)
        }
    }

    @Test("one that is cancelled while it waits gives up, and those behind it move up")
    func cancellation() throws {
        try simulate { time, lanes in
            let log = Log()
            let tickets = (0..<4).map { _ in lanes.ticket(for: Self.payment) }
            _ = try await lanes.enter(tickets[0])
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    await withTaskGroup(of: Void.self) { inner in
                        for index in [1, 2] {
                            inner.addTask {
                                do {
                                    _ = try await lanes.enter(tickets[index])
                                    log.add("entered \(index)")
                                } catch {
                                    log.add("cancelled")
                                }
                                lanes.leave(tickets[index])
                            }
                        }
                        _ = try? await time.sleep(for: .milliseconds(10))
                        inner.cancelAll()
                    }
                }
                group.addTask {
                    _ = try await lanes.enter(tickets[3])
                    log.add("entered 3")
                    lanes.leave(tickets[3])
                }
                try await time.sleep(for: .milliseconds(50))
                log.add("leaving")
                lanes.leave(tickets[0])
                try await group.waitForAll()
            }
            #expect(log.lines == ["cancelled", "cancelled", "leaving", "entered 3"])
        }
    }

    @Test("the ticket of one that never entered does not block the lane")
    func abandoned() throws {
        try simulate { _, lanes in
            let tickets = (0..<3).map { _ in lanes.ticket(for: Self.payment) }
            lanes.leave(tickets[1])
            _ = try await lanes.enter(tickets[0])
            lanes.leave(tickets[0])
            _ = try await lanes.enter(tickets[2])
            lanes.leave(tickets[2])
        }
    }
}
