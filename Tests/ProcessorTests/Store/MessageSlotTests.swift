import Core
import Testing

@testable import Processor

@Suite("The slot of a message")
struct MessageSlotTests {
    @Test("is the hour in front of the hash of its id: what is written within an hour is together")
    func halves() {
        let time = Timestamp(microseconds: 1_796_000_000_000_000)
        let hour: Int64 = 3_600_000_000
        let slots = ["a", "b", "c"].map { MessageSlot(of: $0, at: time).value }
        #expect(slots.allSatisfy { $0 >> 32 == time.microseconds / hour })
        #expect(slots.map { $0 & 0xffff_ffff } == ["a", "b", "c"].map { MessageSlot.hash($0) })
        #expect(Set(slots).count == 3)
        let later = MessageSlot(of: "a", at: time.advanced(by: .seconds(3_600))).value
        #expect(later >> 32 == slots[0] >> 32 + 1)
        #expect(slots.allSatisfy { $0 < later })
    }
}
