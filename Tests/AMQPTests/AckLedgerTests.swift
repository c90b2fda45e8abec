import Testing

@testable import AMQP

@Suite("The ledger of acknowledgements", .timeLimit(.minutes(1)))
struct AckLedgerTests {
    private func ledger(delivered count: UInt64) -> AckLedger {
        var ledger = AckLedger()
        for tag in 1...count { #expect(ledger.delivered(tag) == true) }
        return ledger
    }

    private func frames(_ ledger: inout AckLedger) -> [AckLedger.Frame] {
        var frames: [AckLedger.Frame] = []
        ledger.takeFrames(into: &frames)
        return frames
    }

    struct Example: Sendable {
        let acknowledged: [UInt64]
        let rejected: [UInt64]
        let expected: [AckLedger.Frame]
    }

    @Test(
        "makes one frame of the finished run at the beginning and one each of those beyond a gap",
        arguments: [
            Example(acknowledged: [], rejected: [], expected: []),
            Example(acknowledged: [1], rejected: [], expected: [.init(tag: 1, multiple: false)]),
            Example(acknowledged: [3, 1, 2], rejected: [], expected: [.init(tag: 3, multiple: true)]),
            Example(acknowledged: [2], rejected: [], expected: [.init(tag: 2, multiple: false)]),
            Example(
                acknowledged: [5, 1, 2, 4],
                rejected: [],
                expected: [
                    .init(tag: 2, multiple: true), .init(tag: 5, multiple: false), .init(tag: 4, multiple: false),
                ]
            ),
            // A rejected delivery is settled: it closes no run, and the last tag is one that is still unsettled.
            Example(acknowledged: [1, 3], rejected: [2, 4], expected: [.init(tag: 3, multiple: true)]),
            Example(acknowledged: [2], rejected: [1], expected: [.init(tag: 2, multiple: false)]),
            Example(acknowledged: [], rejected: [1, 2], expected: []),
            Example(acknowledged: [1, 1, 1], rejected: [1], expected: [.init(tag: 1, multiple: false)]),
            Example(acknowledged: [9], rejected: [], expected: []),
        ]
    )
    func coalesces(_ example: Example) {
        var ledger = ledger(delivered: 5)
        for tag in example.acknowledged { ledger.acknowledge(tag) }
        for tag in example.rejected { _ = ledger.reject(tag) }
        #expect(frames(&ledger) == example.expected)
        #expect(frames(&ledger) == [])
    }

    @Test("continues the run where an earlier turn has left a gap")
    func closesGaps() {
        var ledger = ledger(delivered: 5)
        for tag: UInt64 in [2, 3] { ledger.acknowledge(tag) }
        #expect(frames(&ledger) == [.init(tag: 2, multiple: false), .init(tag: 3, multiple: false)])
        ledger.acknowledge(1)
        #expect(frames(&ledger) == [.init(tag: 1, multiple: false)])
        for tag: UInt64 in [5, 4] { ledger.acknowledge(tag) }
        #expect(frames(&ledger) == [.init(tag: 5, multiple: true)])
        #expect(ledger.isEmpty)
    }

    @Test("settles a delivery once: a rejection after an acknowledgement is not sent, and the other way round")
    func settlesOnce() {
        var ledger = ledger(delivered: 2)
        ledger.acknowledge(1)
        #expect(ledger.reject(1) == false)
        #expect(ledger.reject(2) == true)
        #expect(ledger.reject(2) == false)
        ledger.acknowledge(2)
        #expect(frames(&ledger) == [.init(tag: 1, multiple: false)])
        #expect(ledger.isEmpty)
    }

    @Test("does not accept a delivery tag out of order")
    func ordersTags() {
        var ledger = ledger(delivered: 2)
        #expect(ledger.delivered(4) == false)
    }

    @Test("covers every delivery exactly once, whatever the order", arguments: [1, 7, 42])
    func coversAll(seed: UInt64) {
        var random = SplitMix(state: seed)
        var ledger = AckLedger()
        var delivered: UInt64 = 0
        var open: Set<UInt64> = []
        /// What a broker that follows the specification holds as unsettled.
        var unsettled: Set<UInt64> = []
        for _ in 0..<2_000 {
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                delivered += 1
                #expect(ledger.delivered(delivered) == true)
                open.insert(delivered)
                unsettled.insert(delivered)
            }
            for tag in open.sorted().shuffled(using: &random).prefix(2) {
                open.remove(tag)
                if Bool.random(using: &random) {
                    ledger.acknowledge(tag)
                } else if ledger.reject(tag) {
                    #expect(unsettled.remove(tag) != nil)
                }
            }
            for frame in frames(&ledger) {
                #expect(unsettled.contains(frame.tag))
                let covered: Set<UInt64> = frame.multiple ? unsettled.filter { $0 <= frame.tag } : [frame.tag]
                #expect(covered.isDisjoint(with: open))
                unsettled.subtract(covered)
            }
            #expect(unsettled == open)
        }
    }
}

/// A generator with a seed, so that a failure can be repeated.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
