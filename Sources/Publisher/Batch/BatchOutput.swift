import Program

/// The replies of a batch as JSON, a line each, in few large writes.
struct BatchOutput {
    private static let plenty = 64 * 1_024

    /// Otherwise nothing is printed.
    let json: Bool
    private var bytes: [UInt8] = []
    /// The `unknown` replies whose final ones have not come.
    private var provisionals: [Int: [UInt8]] = [:]

    init(json: Bool) {
        self.json = json
    }

    /// A reply that is printed at the end, unless a final one comes.
    mutating func keep(_ body: [UInt8], of index: Int) {
        if json { provisionals[index] = body }
    }

    /// A final one.
    mutating func add(_ body: [UInt8], of index: Int) {
        guard json else { return }
        provisionals[index] = nil
        print(body)
    }

    mutating func flush() {
        guard !bytes.isEmpty else { return }
        StandardStream.output.write(bytes)
        bytes.removeAll(keepingCapacity: true)
    }

    /// Prints what is left.
    mutating func finish() {
        for (_, body) in provisionals.sorted(by: { $0.key < $1.key }) { print(body) }
        provisionals = [:]
        flush()
    }

    private mutating func print(_ body: [UInt8]) {
        bytes.append(contentsOf: body)
        bytes.append(UInt8(ascii: "\n"))
        if bytes.count > Self.plenty { flush() }
    }
}
