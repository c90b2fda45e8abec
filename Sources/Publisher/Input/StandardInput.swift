import Glibc
import PaymentCommands

/// What a person or a program hands over on standard input.
enum StandardInput {
    /// The line of `--card -`. At a terminal it asks for it, and does not show what is typed.
    static func cardLine() throws(Failure) -> String {
        guard Terminal.isTerminal(STDIN_FILENO) else { return try firstLine() }
        StandardError.write("card as 'number cvv mm/yyyy' (not shown): ")
        var settings = termios()
        let isKnown = tcgetattr(STDIN_FILENO, &settings) == 0
        let before = settings
        settings.c_lflag &= ~tcflag_t(ECHO)
        if isKnown { tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings) }
        defer {
            if isKnown {
                var before = before
                tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
            }
            StandardError.write("\n")
        }
        return try firstLine()
    }

    private static func firstLine() throws(Failure) -> String {
        do throws(FileProblem) {
            var reader = LineReader(descriptor: STDIN_FILENO, maximumLength: 1_024)
            guard case .line(let bytes) = try reader.next() else { return "" }
            return String(decoding: bytes, as: UTF8.self)
        } catch {
            throw Failure(.usage, "--card -: standard input cannot be read: \(error.description)")
        }
    }
}
