/// One-dimensional arrays of any format: a header of dimension count, null flag, element type, length and lower bound,
/// then each element behind its length, -1 for null (the server's `array_send`).
enum ArrayFormat<Element: WireFormat> {
    static func encode(_ elements: [Element.Value?], into writer: inout ByteWriter) throws(PostgresError) {
        guard let length = Int32(exactly: elements.count) else {
            throw PostgresError(.invalidParameter, reason: "array too long")
        }
        writer.append(Int32(length == 0 ? 0 : 1))
        let nullFlag = writer.count
        writer.append(Int32(0))
        writer.append(Element.type)
        guard length > 0 else { return }
        writer.append(length)
        writer.append(Int32(1))
        var hasNull = false
        for element in elements {
            guard let element else {
                hasNull = true
                writer.append(Int32(-1))
                continue
            }
            let start = writer.count
            writer.append(Int32(0))
            try Element.encode(element, into: &writer)
            guard let size = Int32(exactly: writer.count - start - 4) else {
                throw PostgresError(.invalidParameter, reason: "value too long")
            }
            writer.overwrite(at: start, with: size)
        }
        if hasNull { writer.overwrite(at: nullFlag, with: 1) }
    }

    /// `nil` when the bytes are not an array of at most one dimension, or its elements are of a type that cannot be
    /// read.
    static func decode(_ bytes: UnsafeRawBufferPointer) -> [Element.Value?]? {
        var reader = ByteReader(bytes)
        guard let dimensions = reader.integer(Int32.self), reader.integer(Int32.self) != nil,
            let type = reader.integer(UInt32.self), Element.reads(type: type)
        else { return nil }
        guard dimensions != 0 else { return [] }
        guard dimensions == 1, let length = reader.integer(Int32.self), reader.integer(Int32.self) != nil,
            length >= 0, Int(length) <= reader.remaining / 4
        else { return nil }
        var elements: [Element.Value?] = []
        elements.reserveCapacity(Int(length))
        for _ in 0..<length {
            guard let size = reader.integer(Int32.self) else { return nil }
            guard size != -1 else {
                elements.append(nil)
                continue
            }
            guard let slice = reader.bytes(Int(size)), let value = Element.decode(slice, type: type) else { return nil }
            elements.append(value)
        }
        return reader.remaining == 0 ? elements : nil
    }
}

/// Reads forward through bytes of unknown honesty; `nil` at their end.
private struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    var remaining: Int { bytes.count - offset }

    mutating func integer<Number: FixedWidthInteger>(_ type: Number.Type) -> Number? {
        bytes(MemoryLayout<Number>.size)?.integer(as: Number.self)
    }

    mutating func bytes(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, count <= remaining else { return nil }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
    }
}
