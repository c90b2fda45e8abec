import Foundation
import Testing

/// The program itself, as a child process with an environment and a working directory of its own.
final class PublisherProcess: Sendable {
    struct Result: Sendable {
        let status: Int32
        let output: String
        let errors: String

        /// The lines of standard error.
        var errorLines: [String] { errors.split(separator: "\n").map(String.init) }
    }

    private let process: Process
    private let output: TemporaryFile
    private let errors: TemporaryFile
    private let directory: TemporaryFile
    private let ended: AsyncStream<Void>

    /// Starts it.
    init(
        _ arguments: [String],
        url: String? = nil,
        prefix: String? = nil,
        input: String = "",
        environmentFile: String = "",
        output handle: FileHandle? = nil
    ) throws {
        let folder = try #require(FileManager.default.executableFolder)
        output = try TemporaryFile("")
        errors = try TemporaryFile("")
        directory = try TemporaryFile(environmentFile: environmentFile)
        let inputFile = try TemporaryFile(input)
        process = Process()
        process.executableURL = URL(fileURLWithPath: folder + "/publisher")
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: directory.path)
        var environment = ProcessInfo.processInfo.environment
        environment["AMQP_URL"] = url
        environment["AMQP_PREFIX"] = prefix
        process.environment = environment
        process.standardInput = FileHandle(forReadingAtPath: inputFile.path)
        process.standardOutput = handle ?? FileHandle(forWritingAtPath: output.path)
        process.standardError = FileHandle(forWritingAtPath: errors.path)
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        ended = stream
        process.terminationHandler = { _ in continuation.finish() }
        try process.run()
    }

    var id: Int32 { process.processIdentifier }

    /// Waits for its end.
    func result() async throws -> Result {
        for await _ in ended {}
        return Result(
            status: process.terminationStatus,
            output: try String(contentsOfFile: output.path, encoding: .utf8),
            errors: try String(contentsOfFile: errors.path, encoding: .utf8)
        )
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
}

extension FileManager {
    /// Where the tests were built, and with them the program.
    fileprivate var executableFolder: String? {
        (try? destinationOfSymbolicLink(atPath: "/proc/self/exe")).map { ($0 as NSString).deletingLastPathComponent }
    }
}

/// A file, or a folder, that is gone when nobody holds it any more.
final class TemporaryFile: Sendable {
    let path: String

    init(_ text: String) throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("publisher-\(UUID())").path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    /// A folder with a file `.env`, to run in.
    init(environmentFile text: String) throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("publisher-\(UUID())").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/.env"))
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
