package import ArgumentParser
import Glibc

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
