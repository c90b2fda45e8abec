/// Bytes as a gzip member (RFC 1952), stored instead of compressed: legal, and read by every client.
enum Gzip {
    static func stored(_ bytes: [UInt8]) -> [UInt8] {
        // Deflate, no flags, no time, no level, system unknown.
        var result: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]
        var rest = bytes[...]
        repeat {
            let block = rest.prefix(Int(UInt16.max))
            rest = rest.dropFirst(block.count)
            let length = UInt16(block.count)
            result.append(rest.isEmpty ? 1 : 0)
            result.append(littleEndian: length)
            result.append(littleEndian: ~length)
            result.append(contentsOf: block)
        } while !rest.isEmpty
        result.append(littleEndian: checksum(bytes))
        result.append(littleEndian: UInt32(truncatingIfNeeded: bytes.count))
        return result
    }

    /// CRC-32 as gzip, zlib and Ethernet have it.
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var remainder = UInt32.max
        for byte in bytes {
            remainder ^= UInt32(byte)
            for _ in 0..<8 { remainder = remainder >> 1 ^ (remainder & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
        return ~remainder
    }
}

extension [UInt8] {
    fileprivate mutating func append(littleEndian value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}
