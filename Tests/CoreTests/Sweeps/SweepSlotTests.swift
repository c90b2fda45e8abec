import Core
import Testing

@Suite("The schedule of the sweeps", .timeLimit(.minutes(1)))
struct SweepSlotTests {
    private static func at(_ microseconds: Int64) -> Timestamp { Timestamp(microseconds: microseconds) }

    @Test(
        "slots are the multiples of the period, whoever computes them",
        arguments: [
            (0, 60_000_000, 0), (59_999_999, 60_000_000, 0), (60_000_000, 60_000_000, 60_000_000),
            (61_234_567, 60_000_000, 60_000_000), (-1, 60_000_000, -60_000_000), (-60_000_000, 60_000_000, -60_000_000),
            (1_999_999, 100_000, 1_900_000), (7, 0, 7),
        ] as [(Int64, Int64, Int64)]
    )
    func slot(_ instant: Int64, _ period: Int64, _ start: Int64) {
        let slot = SweepSlot(of: .reconcile, containing: Self.at(instant), period: .microseconds(period))
        #expect(slot == SweepSlot(job: .reconcile, start: Self.at(start)))
    }

    @Test("the slots of a day follow each other without gap or overlap")
    func day() {
        let period = Duration.seconds(300)
        var slot = SweepSlot(of: .expire, containing: Self.at(1_770_000_012_345_678), period: period)
        for _ in 0..<288 {
            let end = slot.end(period: period)
            let last = SweepSlot(of: .expire, containing: end.advanced(by: .microseconds(-1)), period: period)
            #expect(last == slot)
            let next = SweepSlot(of: .expire, containing: end, period: period)
            #expect(next.start == end)
            slot = next
        }
    }

    @Test("a tick says which slot of which job has begun", arguments: SweepJob.allCases)
    func tick(_ job: SweepJob) {
        let slot = SweepSlot(job: job, start: Self.at(1_770_000_000_100_000))
        let message = SweepTick.message(slot)
        #expect(SweepTick.slot(of: message) == slot)
        #expect(message.messageID == SweepTick.message(slot).messageID)
    }

    @Test("what is no tick is none")
    func noTick() {
        let slot = SweepSlot(job: .expire, start: Self.at(0))
        var message = SweepTick.message(slot)
        message.type = "payment.capture.v1"
        #expect(SweepTick.slot(of: message) == nil)
        for body in ["", "{}", #"{"job":"expire"}"#, #"{"job":"other","slot":"1970-01-01T00:00:00Z"}"#, "[1]"] {
            message = SweepTick.message(slot)
            message.body = Array(body.utf8)
            #expect(SweepTick.slot(of: message) == nil)
        }
    }

    @Test("the pause between two checks doubles up to an hour, and is never the same for two rows")
    func backoff() {
        let policy = SweepPolicy()
        for checks in 0..<40 {
            let window = min(Duration.seconds(30 << min(checks, 12)), .seconds(3_600))
            for word: UInt64 in [0, 1, 12_345_678_901, .max] {
                let pause = policy.backoff(checks: checks, random: word)
                #expect(pause >= window / 2 && pause < window)
            }
        }
        #expect(policy.backoff(checks: 3, random: 1) != policy.backoff(checks: 3, random: 2))
        #expect(policy.backoff(checks: -1, random: 0) == .seconds(15))
    }
}
