import Crypto

/// W3C trace context, level 1: `version-traceid-parentid-flags`.
package enum TraceParent {
    /// The header, when it is well-formed; a malformed one is ignored (docs/contract.md#commands).
    package static func wellFormed(_ text: String?) -> String? {
        guard var text, text.utf8.count == 55 else { return nil }
        let isWellFormed = text.withUTF8 { bytes in
            isHex(bytes[0..<2]) && isDash(bytes[2]) && isHex(bytes[3..<35]) && isDash(bytes[35])
                && isHex(bytes[36..<52]) && isDash(bytes[52]) && isHex(bytes[53..<55])
                && !bytes[0..<2].allSatisfy { $0 == UInt8(ascii: "f") } && !isZero(bytes[3..<35])
                && !isZero(bytes[36..<52])
        }
        return isWellFormed ? text : nil
    }

    /// The trace id of a well-formed header: 32 hexadecimal digits.
    package static func traceID(_ wellFormed: String) -> Substring {
        let start = wellFormed.utf8.index(wellFormed.startIndex, offsetBy: 3)
        return wellFormed[start..<wellFormed.utf8.index(start, offsetBy: 32)]
    }

    /// The same trace with a span of ours instead of the caller's, which is the parent of what we do.
    ///
    /// - Parameters:
    ///   - wellFormed: the caller's header.
    ///   - name: of the span: the same one gives the same span, so that what is sent again is the same.
    package static func continuing(_ wellFormed: String, as name: String) -> String {
        var span = Array(SHA256.hash(data: Array((wellFormed + name).utf8)).prefix(8))
        // All zeros are no span.
        span[7] |= span.allSatisfy { $0 == 0 } ? 1 : 0
        return "\(wellFormed.prefix(36))\(Hex.text(of: span))\(wellFormed.suffix(3))"
    }

    private static func isHex(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        bytes.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
        }
    }

    private static func isDash(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "-") }

    private static func isZero(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        bytes.allSatisfy { $0 == UInt8(ascii: "0") }
    }
}
