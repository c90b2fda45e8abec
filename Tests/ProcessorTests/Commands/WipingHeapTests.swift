import Testing
import WipingHeap

@Suite("The memory that is freed", .timeLimit(.minutes(1)))
struct WipingHeapTests {
    @Test("the processor overwrites it")
    func isInForce() {
        #expect(wiping_heap_is_in_force() == 1)
    }
}
