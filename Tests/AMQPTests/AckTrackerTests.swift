import Testing

@testable import AMQP

@Suite("The ledger of acknowledgements", .timeLimit(.minutes(1)))
struct AckLedgerTests {
    private func tracker(delivered count: UInt64) -> AckTracker {
        var tracker = AckTracker()
        for tag in 1...count { #expect(tracker.delivered(tag) == true) }
        return tracker
    }

    private func frames(_ tracker: inout AckTracker) -> [AckTracker.Frame] {
        var frames: [AckTracker.Frame] = []
        tracker.takeFrames(into: &frames)
        return frames
    }

    struct Example: Sendable {
        let acknowledged: [UInt64]
        let rejected: [UInt64]
        let expected: [AckTracker.Frame]
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
        var tracker = tracker(delivered: 5)
        for tag in example.acknowledged { tracker.acknowledge(tag) }
        for tag in example.rejected { _ = tracker.reject(tag) }
        #expect(frames(&tracker) == example.expected)
        #expect(frames(&tracker) == [])
    }

    @Test("continues the run where an earlier turn has left a gap")
    func closesGaps() {
        var tracker = tracker(delivered: 5)
        for tag: UInt64 in [2, 3] { tracker.acknowledge(tag) }
        #expect(frames(&tracker) == [.init(tag: 2, multiple: false), .init(tag: 3, multiple: false)])
        tracker.acknowledge(1)
        #expect(frames(&tracker) == [.init(tag: 1, multiple: false)])
        for tag: UInt64 in [5, 4] { tracker.acknowledge(tag) }
        #expect(frames(&tracker) == [.init(tag: 5, multiple: true)])
        #expect(tracker.isEmpty)
    }

    @Test("settles a delivery once: a rejection after an acknowledgement is not sent, and the other way round")
    func settlesOnce() {
        var tracker = tracker(delivered: 2)
        tracker.acknowledge(1)
        #expect(tracker.reject(1) == false)
        #expect(tracker.reject(2) == true)
        #expect(tracker.reject(2) == false)
        tracker.acknowledge(2)
        #expect(frames(&tracker) == [.init(tag: 1, multiple: false)])
        #expect(tracker.isEmpty)
    }

    @Test("does not accept a delivery tag out of order")
    func ordersTags() {
        var tracker = tracker(delivered: 2)
        #expect(tracker.delivered(4) == false)
    }

    @Test("covers every delivery exactly once, whatever the order", arguments: [1, 7, 42])
    func coversAll(seed: UInt64) {
        var random = SplitMix(state: seed)
        var tracker = AckTracker()
        var delivered: UInt64 = 0
        var open: Set<UInt64> = []
        /// What a broker that follows the specification holds as unsettled.
        var unsettled: Set<UInt64> = []
        for _ in 0..<2_000 {
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                delivered += 1
                #expect(tracker.delivered(delivered) == true)
                open.insert(delivered)
                unsettled.insert(delivered)
            }
            for tag in open.sorted().shuffled(using: &random).prefix(2) {
                open.remove(tag)
                if Bool.random(using: &random) {
                    tracker.acknowledge(tag)
                } else if tracker.reject(tag) {
                    #expect(unsettled.remove(tag) != nil)
                }
            }
            for frame in frames(&tracker) {
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
