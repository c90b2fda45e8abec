/// Why there is no outcome to report: for a person one line each, with the way out, and for a program the exit status.
///
/// The lines never hold card data, nor credentials.
struct Failure: Error, Equatable {
    let status: PublisherStatus
    let lines: [String]
    /// Printed first, as they are: `FILE:LINE: what`.
    let details: [String]
    /// Whether the same may succeed a little later, with nothing else changed.
    let isPassing: Bool

    init(_ status: PublisherStatus, _ lines: [String], details: [String] = [], isPassing: Bool = false) {
        self.status = status
        self.lines = lines
        self.details = details
        self.isPassing = isPassing
    }

    init(_ status: PublisherStatus, _ line: String, details: [String] = [], isPassing: Bool = false) {
        self.init(status, [line], details: details, isPassing: isPassing)
    }

    /// Prints it on standard error, and gives the status to end with.
    func report() -> PublisherStatus {
        for detail in details { StandardError.write(detail + "\n") }
        for line in lines { StandardError.line(line) }
        return status
    }
}
