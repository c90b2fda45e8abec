import Testing

@testable import AMQP

@Suite("The window of unconfirmed messages", .timeLimit(.minutes(1)))
struct ConfirmWindowTests {
    /// A request and the answer it will get.
    private struct Published {
        let request: PublishRequest
        let answer: Task<PublishRequest.Answer, Never>
    }

    private static func publish(
        _ id: UInt64,
        body: String = "",
        routingKey: String = "q",
        mandatory: Bool = true,
        deadline: MonotonicTime? = nil
    ) async throws -> Published {
        let (requests, continuation) = AsyncStream<PublishRequest>.makeStream()
        let answer = Task {
            await withCheckedContinuation { waiter in
                continuation.yield(
                    PublishRequest(
                        id: id,
                        message: .text(body),
                        exchange: "",
                        routingKey: routingKey,
                        mandatory: mandatory,
                        isAlone: false,
                        isApart: false,
                        deadline: deadline,
                        continuation: waiter
                    )
                )
            }
        }
        var iterator = requests.makeAsyncIterator()
        return Published(request: try #require(await iterator.next()), answer: answer)
    }

    private static let returned = AMQPPublishOutcome.returned(replyCode: 312, replyText: "NO_ROUTE")

    @Test("knows what is unconfirmed, and whether anybody waits for it")
    func givenUp() async throws {
        var window = ConfirmWindow()
        #expect(window.unconfirmed == 0 && !window.isGivenUp)
        let now = MonotonicTime.now()
        var published: [Published] = []
        for id: UInt64 in 1...4 {
            published.append(try await Self.publish(id, deadline: id < 4 ? now : nil))
            window.append(published[published.count - 1].request)
        }
        _ = window.confirm(2, multiple: false, outcome: .confirmed)
        #expect(window.unconfirmed == 3)
        _ = window.expire(now: now)
        #expect(window.unconfirmed == 3 && !window.isGivenUp)
        window.cancel([4, 1])
        #expect(window.unconfirmed == 3 && window.isGivenUp)
        _ = window.confirm(3, multiple: true, outcome: .confirmed)
        #expect(window.unconfirmed == 1 && window.isGivenUp)
        _ = window.confirm(4, multiple: false, outcome: .confirmed)
        #expect(window.unconfirmed == 0 && !window.isGivenUp && window.isEmpty)
        for one in published { _ = await one.answer.value }
    }

    @Test("answers all up to the tag of a multiple confirm, and one by one otherwise")
    func multiple() async throws {
        var window = ConfirmWindow()
        var published: [Published] = []
        for id: UInt64 in 1...5 {
            published.append(try await Self.publish(id))
            window.append(published[published.count - 1].request)
        }
        #expect(window.confirm(2, multiple: false, outcome: .nacked) == true)
        #expect(window.confirm(4, multiple: true, outcome: .confirmed) == true)
        #expect(window.confirm(0, multiple: true, outcome: .nacked) == true)
        var outcomes: [AMQPPublishOutcome] = []
        for one in published { outcomes.append(try await one.answer.value.get()) }
        #expect(outcomes == [.confirmed, .nacked, .confirmed, .confirmed, .nacked])
        #expect(window.isEmpty)
        #expect(window.confirm(6, multiple: false, outcome: .confirmed) == false)
    }

    @Test("matches a return to its message, and tells of it with the confirm, even a multiple one")
    func returns() async throws {
        var window = ConfirmWindow()
        let first = try await Self.publish(1, body: "a")
        let second = try await Self.publish(2, body: "b")
        let third = try await Self.publish(3, body: "b")
        let optional = try await Self.publish(4, body: "c", mandatory: false)
        for one in [first, second, third, optional] { window.append(one.request) }
        #expect(window.markReturned(.text("b"), exchange: "", routingKey: "q", as: Self.returned) == true)
        #expect(window.markReturned(.text("c"), exchange: "", routingKey: "q", as: Self.returned) == false)
        #expect(window.markReturned(.text("a"), exchange: "", routingKey: "other", as: Self.returned) == false)
        #expect(window.markReturned(.text("b"), exchange: "", routingKey: "q", as: Self.returned) == true)
        #expect(window.markReturned(.text("b"), exchange: "", routingKey: "q", as: Self.returned) == false)
        #expect(window.markReturned(.text("a"), exchange: "", routingKey: "q", as: Self.returned) == true)
        #expect(window.confirm(4, multiple: true, outcome: .confirmed) == true)
        #expect(try await first.answer.value.get() == Self.returned)
        #expect(try await second.answer.value.get() == Self.returned)
        #expect(try await third.answer.value.get() == Self.returned)
        #expect(try await optional.answer.value.get() == .confirmed)
    }

    @Test("keeps the places of messages whose callers have gone")
    func keepsPlaces() async throws {
        var window = ConfirmWindow()
        let start = MonotonicTime.now()
        let late = start.advanced(by: .seconds(1))
        let expired = try await Self.publish(1, deadline: start)
        let cancelled = try await Self.publish(2)
        let waiting = try await Self.publish(3, deadline: late)
        for one in [expired, cancelled, waiting] { window.append(one.request) }
        #expect(window.expire(now: start) == late)
        window.cancel([2, 77])
        #expect(window.expire(now: start) == late)
        #expect(await expired.answer.value == .failure(AMQPError(.confirmTimeout, outcomeUnknown: true)))
        #expect(await cancelled.answer.value == .failure(AMQPError(.cancelled, outcomeUnknown: true)))
        #expect(window.confirm(3, multiple: false, outcome: .confirmed) == true)
        #expect(await waiting.answer.value == .success(.confirmed))
        #expect(window.confirm(2, multiple: true, outcome: .confirmed) == true)
        #expect(window.isEmpty)
    }

    @Test("fails all that wait with unknown outcome when the channel is gone, and counts from 1 again")
    func failsAll() async throws {
        var window = ConfirmWindow()
        let lost = try await Self.publish(1)
        window.append(lost.request)
        window.failAll(AMQPError(.channelClosed(replyCode: 404)))
        #expect(await lost.answer.value == .failure(AMQPError(.channelClosed(replyCode: 404), outcomeUnknown: true)))
        let next = try await Self.publish(2)
        window.append(next.request)
        #expect(window.confirm(1, multiple: false, outcome: .confirmed) == true)
        #expect(await next.answer.value == .success(.confirmed))
    }
}
