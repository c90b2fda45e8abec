/// What a page of `docs/` shows of a terminal and of a log, in its order.
///
/// - `<!-- situation: NAME -->` says what happens next; the reader of the page does not see it.
/// - A block of `console` has commands behind `$ `, each followed by its whole output. `…` stands for any text within a line,
///   and alone on a line for any lines. `[exit code N]` ends the output of a command that does not end with 0.
/// - Each line of a block of `log` is in the log of the processor.
struct Transcript {
    enum Step {
        case situation(String)
        case command(Command)
        case log(String, line: Int)
    }

    struct Command {
        let text: String
        var output: [String] = []
        var exit: Int32 = 0
        /// In the page.
        let line: Int
    }

    private(set) var steps: [Step] = []
    private var command: Command?

    init(_ text: String) {
        var block = ""
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("```") {
                endCommand()
                block = block.isEmpty ? String(line.dropFirst(3)) + " " : ""
            } else if block == "console " {
                read(console: String(line), index + 1)
            } else if block == "log " {
                steps.append(.log(String(line), line: index + 1))
            } else if let name = line.wholeMatch(of: /<!-- situation: (.+) -->/)?.1 {
                steps.append(.situation(String(name)))
            }
        }
    }

    private mutating func read(console line: String, _ number: Int) {
        if line.hasPrefix("$ ") {
            endCommand()
            command = Command(text: String(line.dropFirst(2)), line: number)
        } else if let open = command, open.output.isEmpty, open.text.hasSuffix("\\") {
            // Its next line.
            command = Command(text: "\(open.text)\n\(line)", line: open.line)
        } else if let status = line.wholeMatch(of: /\[exit code (\d+)\]/)?.1 {
            command?.exit = Int32(status) ?? -1
        } else {
            command?.output.append(line)
        }
    }

    private mutating func endCommand() {
        if var ended = command {
            // An empty line in front of the next command is no output.
            while ended.output.last == "" { ended.output.removeLast() }
            steps.append(.command(ended))
        }
        command = nil
    }
}

/// One line of a page, in pieces that a line of this run is compared with.
struct ShownLine {
    enum Piece: Equatable {
        case text([UInt8])
        /// As the page shows it.
        case id(String)
        case time
        /// Between columns: they are as wide as what is in them.
        case gap
        /// `…`
        case anything
    }

    let pieces: [Piece]

    init(_ line: String) {
        var (pieces, text, rest) = ([Piece](), [UInt8](), Array(line.utf8)[...])
        func flush() {
            if !text.isEmpty { pieces.append(.text(text)) }
            text = []
        }
        while let first = rest.first {
            let (piece, length): (Piece?, Int) =
                if Self.startsWithID(rest) {
                    (.id(String(decoding: rest.prefix(Self.idLength), as: UTF8.self)), Self.idLength)
                } else if let length = Self.timeLength(rest) {
                    (.time, length)
                } else if rest.starts(with: "…".utf8) {
                    (.anything, "…".utf8.count)
                } else if rest.starts(with: "  ".utf8) {
                    (.gap, rest.prefix { $0 == UInt8(ascii: " ") }.count)
                } else {
                    (nil, 1)
                }
            if let piece {
                flush()
                pieces.append(piece)
            } else {
                text.append(first)
            }
            rest = rest.dropFirst(length)
        }
        flush()
        self.pieces = pieces
    }

    /// Whether a line says the same.
    ///
    /// - Parameter ids: what ids of the page are in this run; those that are new are added.
    func matches(_ line: String, _ ids: inout [String: String]) -> Bool {
        guard let known = Self.match(pieces[...], Array(line.utf8)[...], ids) else { return false }
        ids = known
        return true
    }

    private static func match(
        _ pieces: ArraySlice<Piece>,
        _ line: ArraySlice<UInt8>,
        _ ids: [String: String]
    ) -> [String: String]? {
        guard let piece = pieces.first else { return line.isEmpty ? ids : nil }
        let rest = pieces.dropFirst()
        switch piece {
        case .text(let text):
            return line.starts(with: text) ? match(rest, line.dropFirst(text.count), ids) : nil
        case .id(let shown):
            guard startsWithID(line) else { return nil }
            let real = String(decoding: line.prefix(idLength), as: UTF8.self)
            guard ids[shown] ?? real == real else { return nil }
            return match(rest, line.dropFirst(idLength), ids.merging([shown: real]) { $1 })
        case .time:
            return timeLength(line).flatMap { match(rest, line.dropFirst($0), ids) }
        case .gap:
            let width = line.prefix { $0 == UInt8(ascii: " ") }.count
            return width >= 2 ? match(rest, line.dropFirst(width), ids) : nil
        case .anything:
            for start in line.startIndex...line.endIndex {
                if let known = match(rest, line[start...], ids) { return known }
            }
            return nil
        }
    }

    // MARK: Ids and times

    /// The ids in a text: UUIDs.
    static func ids(in text: String) -> [String] {
        ShownLine(text).pieces.compactMap { piece in
            if case .id(let id) = piece { return id }
            return nil
        }
    }

    private static let idLength = 36

    private static func startsWithID(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count >= idLength else { return false }
        return bytes.prefix(idLength).enumerated().allSatisfy { index, byte in
            [8, 13, 18, 23].contains(index) ? byte == UInt8(ascii: "-") : isHex(byte)
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

    private static func isHex(_ byte: UInt8) -> Bool {
        isDigit(byte) || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte
    }

    /// Of an instant of RFC 3339 in UTC at the start.
    private static func timeLength(_ bytes: ArraySlice<UInt8>) -> Int? {
        let form = Array("0000-00-00T00:00:00".utf8)
        guard bytes.count > form.count else { return nil }
        let isTime = zip(bytes, form).allSatisfy { byte, form in
            form == UInt8(ascii: "0") ? isDigit(byte) : byte == form
        }
        let fraction = bytes.dropFirst(form.count).prefix { isDigit($0) || $0 == UInt8(ascii: ".") }.count
        let length = form.count + fraction
        guard isTime, bytes.dropFirst(length).first == UInt8(ascii: "Z") else { return nil }
        return length + 1
    }
}

/// The ids that a page shows, and what they are in this run: a page says one where it is first printed, and then uses it.
struct ShownIDs {
    private var actual: [String: String] = [:]
    private let addresses: [String: String]

    /// - Parameter addresses: those of the page, and those of this run.
    init(addresses: [String: String]) {
        self.addresses = addresses
    }

    /// A command as it is to be run. `nil` where it names an id that has not been shown before.
    func substituted(_ command: String) -> String? {
        var text = command
        for id in ShownLine.ids(in: command) {
            guard let real = actual[id] else { return nil }
            text = text.replacing(id, with: real)
        }
        for (shown, real) in addresses { text = text.replacing(shown, with: real) }
        return text
    }

    /// Whether this is what the page shows. Then its ids are known from now on.
    mutating func match(_ shown: [String], _ lines: [String]) -> Bool {
        let lines = lines.map { line in addresses.reduce(line) { $0.replacing($1.value, with: $1.key) } }
        guard let known = Self.matched(shown[...], lines[...], actual) else { return false }
        actual = known
        return true
    }

    private static func matched(
        _ shown: ArraySlice<String>,
        _ lines: ArraySlice<String>,
        _ ids: [String: String]
    ) -> [String: String]? {
        guard let first = shown.first else { return lines.isEmpty ? ids : nil }
        if first == "…" {
            for start in lines.startIndex...lines.endIndex {
                if let known = matched(shown.dropFirst(), lines[start...], ids) { return known }
            }
            return nil
        }
        var known = ids
        guard let line = lines.first, ShownLine(first).matches(line, &known) else { return nil }
        return matched(shown.dropFirst(), lines.dropFirst(), known)
    }
}
