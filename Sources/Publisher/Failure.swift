/// Why there is no outcome to report: for a person one line each, with the way out, and for a program the exit status.
///
/// The lines never hold card data, nor credentials.
struct Failure: Error, Equatable {
    let status: PublisherStatus
    let lines: [String]
    /// Printed first, as they are: `FILE:LINE: what`.
    let details: [String]

    init(_ status: PublisherStatus, _ lines: [String], details: [String] = []) {
        self.status = status
        self.lines = lines
        self.details = details
    }

    init(_ status: PublisherStatus, _ line: String, details: [String] = []) {
        self.init(status, [line], details: details)
    }

    /// Prints it on standard error, and gives the status to end with.
    func report() -> PublisherStatus {
        for detail in details { StandardError.write(detail + "\n") }
        for line in lines { StandardError.line(line) }
        return status
    }
}
