import Glibc
import PaymentCommands

/// Reads a file line by line, holding one block of it at a time.
struct LineReader: ~Copyable {
    enum Line: Equatable {
        /// Without its line feed.
        case line([UInt8])
        /// Longer than the maximum; skipped.
        case tooLong
    }

    private static var blockSize: Int { 64 * 1_024 }

    private let descriptor: Int32
    private let maximumLength: Int
    private var block: [UInt8] = []
    private var position = 0
    private var isAtEnd = false

    /// The descriptor stays open, and the caller's.
    init(descriptor: Int32, maximumLength: Int) {
        self.descriptor = descriptor
        self.maximumLength = maximumLength
    }

    /// `nil` at the end of the file. A last line without a line feed counts, an empty one does not.
    mutating func next() throws(FileProblem) -> Line? {
        var line: [UInt8] = []
        var isTooLong = false
        var isEmpty = true
        while try fill() {
            isEmpty = false
            let rest = block[position...]
            let end = rest.firstIndex(of: UInt8(ascii: "\n"))
            let part = rest[..<(end ?? rest.endIndex)]
            if line.count + part.count > maximumLength { isTooLong = true }
            if !isTooLong { line.append(contentsOf: part) }
            position = end.map { $0 + 1 } ?? rest.endIndex
            if end != nil { break }
        }
        if isEmpty { return nil }
        return isTooLong ? .tooLong : .line(line)
    }

    /// - Returns: whether there is something in the block.
    private mutating func fill() throws(FileProblem) -> Bool {
        guard position == block.count, !isAtEnd else { return position < block.count }
        position = 0
        let descriptor = descriptor
        var problem: Int32 = 0
        block = [UInt8](unsafeUninitializedCapacity: Self.blockSize) { buffer, count in
            var result: Int
            repeat {
                result = read(descriptor, buffer.baseAddress, buffer.count)
            } while result < 0 && errno == EINTR
            if result < 0 { problem = errno }
            count = max(result, 0)
        }
        guard problem == 0 else { throw FileProblem(number: problem) }
        isAtEnd = block.isEmpty
        return !block.isEmpty
    }
}

/// What a person or a program hands over on standard input.
enum StandardInput {
    /// The line of `--card -`. At a terminal it asks for it, and does not show what is typed.
    static func cardLine() throws(Failure) -> String {
        guard Terminal.isTerminal(STDIN_FILENO) else { return try firstLine() }
        StandardError.write("card as 'number cvv mm/yyyy' (not shown): ")
        var settings = termios()
        let isKnown = tcgetattr(STDIN_FILENO, &settings) == 0
        let before = settings
        settings.c_lflag &= ~tcflag_t(ECHO)
        if isKnown { tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings) }
        defer {
            if isKnown {
                var before = before
                tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
            }
            StandardError.write("\n")
        }
        return try firstLine()
    }

    private static func firstLine() throws(Failure) -> String {
        do throws(FileProblem) {
            var reader = LineReader(descriptor: STDIN_FILENO, maximumLength: 1_024)
            guard case .line(let bytes) = try reader.next() else { return "" }
            return String(decoding: bytes, as: UTF8.self)
        } catch {
            throw Failure(.usage, "--card -: standard input cannot be read: \(error.description)")
        }
    }
}
