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
