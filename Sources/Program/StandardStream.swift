package import ArgumentParser
import Glibc
import Synchronization

/// Standard output, for data, and standard error, for everything else.
///
/// An error of the write ends no work that is under way: what follows is dropped, and the program's end says so
/// (`endStatus`). A reader that has gone is no error: `processor payments list | head`.
package enum StandardStream: Int32, Sendable {
    case output = 1
    case error = 2

    private static let outputProblem = Mutex<Int32?>(nil)

    /// Writes the text and a line feed.
    package func print(_ text: String) {
        write(text + "\n")
    }

    /// Writes the text as it is.
    package func write(_ text: String) {
        write(Array(text.utf8))
    }

    package func write(_ bytes: [UInt8]) {
        switch self {
        case .error: Self.writeAll(bytes, to: rawValue)
        case .output:
            // Held meanwhile, so that texts of several threads do not mix.
            Self.outputProblem.withLock { problem in
                if problem == nil { problem = Self.writeAll(bytes, to: rawValue) }
            }
        }
    }

    /// Whether everything could be written to standard error: where data goes there instead of into a file.
    package static func writeError(_ bytes: [UInt8]) -> Bool {
        writeAll(bytes, to: STDERR_FILENO) == nil
    }

    /// - Returns: the error number, or nil where everything was written.
    @discardableResult
    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if count < 0, errno == EAGAIN {
                    // A pipe that somebody has made non-blocking is full.
                    var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&ready, 1, -1)
                } else if count == 0 || errno != EINTR {
                    return count == 0 ? EIO : errno
                }
            }
            return nil
        }
    }

    // MARK: The program's beginning and end

    /// To be called first: makes an error of the write of what would end the process (a reader that has gone), and keeps the
    /// descriptors of streams that are closed from being given to files and sockets.
    package static func begin() {
        signal(SIGPIPE, SIG_IGN)
        // Opened the wrong way round, so that using one is an error, as it is with a closed one. The lowest free number is
        // taken first.
        for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
        where fcntl(descriptor, F_GETFD) < 0 {
            _ = open("/dev/null", mode)
        }
    }

    /// Whether what is written is dropped by now: an error of the write, or a reader that has gone.
    package static var isOutputEnded: Bool { outputProblem.withLock { $0 != nil } }

    /// Whether data could not be written; a reader that has gone does not count.
    package static var isOutputLost: Bool {
        outputProblem.withLock { $0 != nil && $0 != EPIPE }
    }

    /// What the program is to exit with: `status`, or EX_IOERR after one line where its data could not be written.
    ///
    /// Closes standard output, for some file systems tell only then.
    package static func endStatus(_ status: Int32, of program: String) -> Int32 {
        let problem = outputProblem.withLock { problem in
            if problem == nil, close(STDOUT_FILENO) != 0, errno != EBADF { problem = errno }
            return problem
        }
        guard let problem, problem != EPIPE else { return status }
        error.print("\(program): standard output cannot be written: \(String(cString: strerror(problem)))")
        return EX_IOERR
    }
}

extension AsyncParsableCommand {
    /// Parses the arguments, does what they ask for, and ends the process: what `main` does of a program whose errors
    /// ArgumentParser's own texts and exit codes tell well enough.
    package static func runProgram(_ name: String) async -> Never {
        StandardStream.begin()
        do {
            var command = try Self.parse()
            try await command.run()
            Glibc.exit(StandardStream.endStatus(0, of: name))
        } catch {
            let code = exitCode(for: error)
            let text = fullMessage(for: error)
            if !text.isEmpty { (code.isSuccess ? StandardStream.output : .error).print(text) }
            Glibc.exit(StandardStream.endStatus(code.rawValue, of: name))
        }
    }
}
