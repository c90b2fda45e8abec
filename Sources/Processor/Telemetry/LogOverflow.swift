import Logging

/// What becomes of a log line when the lines before it have not been read.
enum LogOverflow: String, Sendable, CaseIterable {
    /// It is dropped, and counted.
    case drop
    /// Who logs it waits, until the shutdown begins.
    case block
}

extension ValueForm where Value == LogOverflow {
    static let logOverflow = word(orElse: "is neither drop nor block")
}
