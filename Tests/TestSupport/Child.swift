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

/// The start of a process: its own working directory, its output into files, nothing on its standard input, and none of the
/// signal dispositions of the test runner.
struct Spawn {
    let program: String
    let arguments: [String]
    let environment: [String: String]
    let directory: String
    let output: String
    let errors: String

    private static let env = "/usr/bin/env"

    private static var descriptorLimit: Int32 {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int32(min(limit.rlim_cur, 1_024))
    }

    func start() throws(ChildError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        // Sockets of other tests, which would otherwise live on in the child. One that is not open is passed over.
        for descriptor in STDERR_FILENO + 1..<Self.descriptorLimit {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        // `env` changes the folder and becomes the program: the process id stays.
        let line = [Self.env, "--chdir=\(directory)", program] + arguments
        var arguments = line.map { strdup($0) } + [nil]
        var environment = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in arguments + environment { free(text) } }
        var processID: pid_t = 0
        let result = posix_spawn(&processID, Self.env, &actions, &attributes, &arguments, &environment)
        guard result == 0 else {
            throw ChildError("\(program) cannot be started: \(String(cString: strerror(result)))")
        }
        return processID
    }
}
