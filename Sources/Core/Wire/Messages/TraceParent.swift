/// W3C trace context, level 1: `version-traceid-parentid-flags`.
package enum TraceParent {
    /// The header, when it is well-formed; a malformed one is ignored (contract.md §2).
    package static func wellFormed(_ text: String?) -> String? {
        guard let text, text.utf8.count == 55 else { return nil }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 4, parts.map(\.utf8.count) == [2, 32, 16, 2], parts.allSatisfy(isLowerHex),
            parts[0] != "ff", !isAllZero(parts[1]), !isAllZero(parts[2])
        else { return nil }
        return text
    }

    private static func isLowerHex(_ part: Substring) -> Bool {
        part.utf8.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
        }
    }

    private static func isAllZero(_ part: Substring) -> Bool {
        part.utf8.allSatisfy { $0 == UInt8(ascii: "0") }
    }
}
