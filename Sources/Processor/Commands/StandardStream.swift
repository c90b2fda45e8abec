import Glibc

/// Lines for whoever called the command: standard output for data, standard error for everything else.
enum StandardStream: Int32 {
    case output = 1
    case error = 2

    /// Writes the text and a line feed. A reader that has gone is not an error: `processor payments list | head`.
    func print(_ text: String) {
        write(text + "\n")
    }

    /// Writes the text as it is.
    func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(rawValue, $0.baseAddress, $0.count) }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno != EINTR {
                return
            }
        }
    }
}
