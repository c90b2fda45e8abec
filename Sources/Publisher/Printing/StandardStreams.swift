import Glibc

/// For data.
enum StandardOutput {
    static func write(_ text: String) {
        write(Array(text.utf8))
    }

    /// What cannot be written (nobody reads any more) is dropped.
    static func write(_ bytes: [UInt8]) {
        writeAll(bytes, to: STDOUT_FILENO)
    }
}

/// For everything that is not data.
enum StandardError {
    static func line(_ text: String) {
        write("publisher: \(text)\n")
    }

    static func write(_ text: String) {
        writeAll(Array(text.utf8), to: STDERR_FILENO)
    }
}

private func writeAll(_ bytes: [UInt8], to descriptor: Int32) {
    bytes.withUnsafeBytes { buffer in
        var rest = buffer[...]
        while !rest.isEmpty {
            let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count < 0, errno == EAGAIN {
                // A pipe that somebody has made non-blocking is full.
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, -1)
            } else if count == 0 || errno != EINTR {
                return
            }
        }
    }
}
