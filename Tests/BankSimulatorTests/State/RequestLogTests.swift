import Testing

@testable import BankSimulator

@Suite("The log of requests", .timeLimit(.minutes(1)))
struct RequestLogTests {
    @Test("it keeps the last requests in order")
    func ring() {
        var log = RequestLog(capacity: 3)
        #expect(log.records(after: 0).isEmpty)
        for number in 1...5 { #expect(log.append(path: "/\(number)", idempotencyKey: nil) == number) }
        #expect(log.records(after: 0).map(\.sequence) == [3, 4, 5])
        #expect(log.records(after: 0).map(\.path) == ["/3", "/4", "/5"])
        #expect(log.records(after: 4).map(\.sequence) == [5])
        #expect(log.records(after: 5).isEmpty)
        #expect(log.records(after: .max).isEmpty)
    }

    @Test("a request that is no longer remembered cannot be changed, nor can its successor by mistake")
    func update() {
        var log = RequestLog(capacity: 2)
        for _ in 1...3 { _ = log.append(path: "/", idempotencyKey: nil) }
        log.update(1) { $0.status = 500 }
        log.update(2) { $0.status = 200 }
        #expect(log.records(after: 0).map(\.status) == [200, nil])
    }
}
