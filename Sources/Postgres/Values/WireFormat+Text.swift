enum TextFormat: WireFormat {
    static let name = "text"
    static let type: UInt32 = 25
    static let arrayType: UInt32 = 1009

    /// `text`, `varchar`, `char(n)`, `name`, `"char"`, a literal of no type, `json`, and the enums of the schema, whose
    /// ids start at 16384.
    static func reads(type: UInt32) -> Bool {
        switch type {
        case 25, 1043, 1042, 19, 18, 705, 114: true
        default: type >= 16384
        }
    }

    static func encode(_ value: String, into writer: inout ByteWriter) {
        var value = value
        value.withUTF8 { writer.append(bytes: UnsafeRawBufferPointer($0)) }
    }

    static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) -> String? {
        String(validating: bytes, as: UTF8.self)
    }
}

enum BytesFormat: WireFormat {
    static let name = "bytea"
    static let type: UInt32 = 17
    static let arrayType: UInt32 = 1001

    static func encode(_ value: [UInt8], into writer: inout ByteWriter) {
        value.withUnsafeBytes { writer.append(bytes: $0) }
    }

    static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) -> [UInt8]? {
        [UInt8](bytes)
    }
}

enum JSONBFormat: WireFormat {
    static let name = "jsonb"
    static let type: UInt32 = 3802
    static let arrayType: UInt32 = 3807

    /// `jsonb` has a byte of version, always 1, before its text; `json` (114) is the text alone.
    private static let version: UInt8 = 1

    static func reads(type: UInt32) -> Bool { type == 3802 || type == 114 }

    static func encode(_ value: String, into writer: inout ByteWriter) {
        writer.append(version)
        TextFormat.encode(value, into: &writer)
    }

    static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) -> String? {
        guard type == Self.type else { return String(validating: bytes, as: UTF8.self) }
        guard bytes.first == version else { return nil }
        return String(validating: UnsafeRawBufferPointer(rebasing: bytes.dropFirst()), as: UTF8.self)
    }
}
