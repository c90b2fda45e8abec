/// How one PostgreSQL type looks in the binary format, both ways.
///
/// The numbers are the fixed object ids of `pg_type`; the layouts are those of the server's `…send` and `…recv`
/// functions.
protocol WireFormat: SendableMetatype {
    associatedtype Value: Sendable
    /// For error messages.
    static var name: String { get }
    static var type: UInt32 { get }
    static var arrayType: UInt32 { get }
    /// Whether a column of this type can be read as `Value`.
    static func reads(type: UInt32) -> Bool
    static func encode(_ value: Value, into writer: inout ByteWriter) throws(PostgresError)
    /// `nil` when the bytes are not a value of the type.
    static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) -> Value?
}

extension WireFormat {
    static func reads(type: UInt32) -> Bool { type == Self.type }
}

extension UnsafeRawBufferPointer {
    /// The whole buffer as one number in network byte order; `nil` when it has another length.
    func integer<Number: FixedWidthInteger>(as: Number.Type) -> Number? {
        guard count == MemoryLayout<Number>.size else { return nil }
        return Number(bigEndian: loadUnaligned(as: Number.self))
    }
}

enum BoolFormat: WireFormat {
    static let name = "boolean"
    static let type: UInt32 = 16
    static let arrayType: UInt32 = 1000

    static func encode(_ value: Bool, into writer: inout ByteWriter) {
        writer.append(value ? UInt8(1) : 0)
    }

    static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) -> Bool? {
        bytes.integer(as: UInt8.self).map { $0 != 0 }
    }
}

enum Int4Format: WireFormat {
    static let name = "integer"
    static let type: UInt32 = 23
    static let arrayType: UInt32 = 1007

    static func reads(type: UInt32) -> Bool { type == 23 || type == 21 }

    static func encode(_ value: Int32, into writer: inout ByteWriter) {
        writer.append(value)
    }

    static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) -> Int32? {
        type == 21 ? bytes.integer(as: Int16.self).map(Int32.init) : bytes.integer(as: Int32.self)
    }
}

enum Int8Format: WireFormat {
    static let name = "bigint"
    static let type: UInt32 = 20
    static let arrayType: UInt32 = 1016

    /// Every smaller integer fits, and so does an object id (26).
    static func reads(type: UInt32) -> Bool { type == 20 || type == 23 || type == 21 || type == 26 }

    static func encode(_ value: Int64, into writer: inout ByteWriter) {
        writer.append(value)
    }

    static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) -> Int64? {
        switch type {
        case 20: bytes.integer(as: Int64.self)
        case 23: bytes.integer(as: Int32.self).map(Int64.init)
        case 21: bytes.integer(as: Int16.self).map(Int64.init)
        default: bytes.integer(as: UInt32.self).map(Int64.init)
        }
    }
}

enum Float8Format: WireFormat {
    static let name = "double precision"
    static let type: UInt32 = 701
    static let arrayType: UInt32 = 1022

    static func encode(_ value: Double, into writer: inout ByteWriter) {
        writer.append(value.bitPattern)
    }

    static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) -> Double? {
        bytes.integer(as: UInt64.self).map(Double.init(bitPattern:))
    }
}

enum TimestampFormat: WireFormat {
    static let name = "timestamp with time zone"
    static let type: UInt32 = 1184
    static let arrayType: UInt32 = 1185

    /// PostgreSQL counts microseconds from 2000-01-01 UTC.
    private static let epoch: Int64 = 946_684_800_000_000

    static func encode(_ value: Int64, into writer: inout ByteWriter) throws(PostgresError) {
        let (shifted, overflow) = value.subtractingReportingOverflow(epoch)
        // The extremes mean minus and plus infinity to the server; other instants out of its range it refuses itself.
        guard !overflow, shifted != .min, shifted != .max else {
            throw PostgresError(.invalidParameter, reason: "timestamp out of range")
        }
        writer.append(shifted)
    }

    static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) -> Int64? {
        guard let value = bytes.integer(as: Int64.self), value != .min, value != .max else { return nil }
        let (shifted, overflow) = value.addingReportingOverflow(epoch)
        return overflow ? nil : shifted
    }
}

enum UUIDFormat: WireFormat {
    static let name = "uuid"
    static let type: UInt32 = 2950
    static let arrayType: UInt32 = 2951

    static func encode(_ value: PostgresUUID, into writer: inout ByteWriter) {
        writer.append(value.high)
        writer.append(value.low)
    }

    static func decode(_ bytes: UnsafeRawBufferPointer, type: UInt32) -> PostgresUUID? {
        guard bytes.count == 16 else { return nil }
        return PostgresUUID(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        )
    }
}

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
