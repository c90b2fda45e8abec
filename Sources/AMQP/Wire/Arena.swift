/// Scratch memory for what goes into one C call: reset before each, so that encoding a message allocates nothing.
struct Arena: ~Copyable {
    private static let blockSize = 16 * 1024

    private let block = UnsafeMutableRawPointer.allocate(byteCount: blockSize, alignment: 16)
    private var used = 0
    /// What did not fit into the block.
    private var extra: [UnsafeMutableRawPointer] = []

    deinit {
        block.deallocate()
        for pointer in extra { pointer.deallocate() }
    }

    mutating func reset() {
        used = 0
        for pointer in extra { pointer.deallocate() }
        extra.removeAll()
    }

    mutating func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
        let aligned = (byteCount + 15) & ~15
        if used + aligned <= Self.blockSize {
            defer { used += aligned }
            return block + used
        }
        let pointer = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 1), alignment: 16)
        extra.append(pointer)
        return pointer
    }
}
