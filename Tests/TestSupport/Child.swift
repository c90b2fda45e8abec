package import Glibc
import Synchronization

/// A program under test, running as a process of its own in a folder of its own, its output in files.
package final class Child: Sendable {
    /// How a process has ended.
    package enum Exit: Hashable, Sendable {
        case status(Int32)
        case signal(Int32)
    }

    package let name: String
    package let processID: pid_t
    package let directory: ScratchDirectory
    private let exit = Mutex<Exit?>(nil)

    /// Starts the program at a path. Its environment is what is given here, beside `PATH` and `HOME`.
    ///
    /// - Parameters:
    ///   - output: where its standard output goes instead of into a file of its own.
    ///   - errors: where its standard error goes.
    /// - Throws: `ChildError` when it cannot be started.
    package init(
        _ program: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        output: String? = nil,
        errors: String? = nil
    ) throws(ChildError) {
        name = program.split(separator: "/").last.map(String.init) ?? program
        directory = try ScratchDirectory()
        var environment = environment
        for name in ["PATH", "HOME"] where environment[name] == nil {
            environment[name] = getenv(name).map { String(cString: $0) }
        }
        processID = try Spawn(
            program: program,
            arguments: arguments,
            environment: environment,
            directory: directory.path,
            output: output ?? directory.file("stdout"),
            errors: errors ?? directory.file("stderr")
        ).start()
    }

    package var standardOutput: String { ScratchDirectory.read(directory.file("stdout")) }
    package var standardError: String { ScratchDirectory.read(directory.file("stderr")) }

    /// The end of what it has said, for failures.
    package var lastWords: String {
        let lines = (standardOutput + standardError).split(separator: "\n").suffix(15)
        return "last lines of \(name) (process \(processID)):\n\(lines.joined(separator: "\n"))"
    }

    package var isRunning: Bool { exitIfEnded() == nil }

    /// Does nothing when it has ended: its id may belong to another process by now.
    package func send(_ signal: Int32) {
        exit.withLock { exit in
            Self.reap(processID, into: &exit)
            if exit == nil { kill(processID, signal) }
        }
    }

    /// Waits for its end.
    ///
    /// - Throws: `NeverHappened`, with its last words.
    @discardableResult
    package func end(within limit: Duration = .seconds(60)) async throws -> Exit {
        try await eventually("\(name) ended", within: limit, context: { lastWords }) { exitIfEnded() }
    }

    /// As a crash would: without any chance to put things in order.
    package func crash() async throws {
        send(SIGKILL)
        try await end()
    }

    private func exitIfEnded() -> Exit? {
        exit.withLock { exit in
            Self.reap(processID, into: &exit)
            return exit
        }
    }

    private static func reap(_ processID: pid_t, into exit: inout Exit?) {
        var status: Int32 = 0
        guard exit == nil, waitpid(processID, &status, WNOHANG) == processID else { return }
        let signal = status & 0x7f
        exit = signal == 0 ? .status(status >> 8 & 0xff) : .signal(signal)
    }
}

/// What went wrong around a program under test.
package struct ChildError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
