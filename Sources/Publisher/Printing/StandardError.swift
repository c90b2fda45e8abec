import Program

/// For everything that is not data.
enum StandardError {
    static func line(_ text: String) {
        write("publisher: \(text)\n")
    }

    static func write(_ text: String) {
        StandardStream.error.write(text)
    }
}
