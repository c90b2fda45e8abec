/// How the process ends (docs/contract.md#exit-codes).
enum PublisherStatus: Int32, CaseIterable, Comparable {
    case succeeded = 0
    case declined = 2
    case rejected = 3
    /// Not known yet what the bank did, or no reply in time.
    case unknown = 4
    /// EX_USAGE.
    case usage = 64
    /// EX_UNAVAILABLE: the broker cannot be used.
    case unavailable = 69
    /// EX_CONFIG.
    case configuration = 78
    /// Ended by Ctrl-C, as a shell counts it.
    case interrupted = 130

    static func < (left: PublisherStatus, right: PublisherStatus) -> Bool { left.rawValue < right.rawValue }
}
