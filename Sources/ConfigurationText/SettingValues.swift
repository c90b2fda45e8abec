import Glibc

/// Durations as an operator writes them: one whole number and one unit, `250ms`, `15s`, `2m`, `1h`
/// (docs/contract.md#configuration).
package enum DurationText {
    private static let units: [(suffix: String, milliseconds: Int64)] = [
        ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]

    /// `nil` where the text is none, or does not fit.
    package static func duration(of text: String) -> Duration? {
        let digits = text.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        let suffix = text.utf8[digits.endIndex...]
        guard let number = Int64(String(Substring(digits))),
            let unit = units.first(where: { $0.suffix.utf8.elementsEqual(suffix) })
        else { return nil }
        let (milliseconds, overflow) = number.multipliedReportingOverflow(by: unit.milliseconds)
        // Timestamps count in microseconds.
        guard !overflow, milliseconds <= Int64.max / 1_000 else { return nil }
        return .milliseconds(milliseconds)
    }

    /// The largest unit that leaves no fraction; below a millisecond the rest is dropped.
    package static func text(of duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
        guard milliseconds != 0 else { return "0s" }
        let unit = units.first { milliseconds % $0.milliseconds == 0 }
        return unit.map { "\(milliseconds / $0.milliseconds)\($0.suffix)" } ?? "\(milliseconds)ms"
    }
}

/// Whether a name or address leads to this machine and nowhere else.
package enum LoopbackHost {
    package static func matches(_ host: String) -> Bool {
        if host.lowercased() == "localhost" { return true }
        var v4 = in_addr()
        if inet_pton(AF_INET, host, &v4) == 1 { return UInt32(bigEndian: v4.s_addr) >> 24 == 127 }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, host, &v6) == 1 else { return false }
        return withUnsafeBytes(of: v6) { bytes in
            let isOne = bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
            // ::ffff:127.x.x.x, as a socket that listens on both families shows an IPv4 peer.
            let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
            return isOne || (isMapped && bytes[12] == 127)
        }
    }
}
