/// What a page of `docs/` shows of a terminal and of a log, in its order.
///
/// - `<!-- situation: NAME -->` says what happens next; the reader of the page does not see it.
/// - A block of `console` has commands behind `$ `, each followed by its whole output. `…` stands for any text within a line,
///   and alone on a line for any lines. `[exit code N]` ends the output of a command that does not end with 0.
/// - Each line of a block of `log` is in the log of the processor.
struct Transcript {
    enum Step {
        case situation(String)
        case command(Command)
        case log(String, line: Int)
    }

    struct Command {
        let text: String
        var output: [String] = []
        var exit: Int32 = 0
        /// In the page.
        let line: Int
    }

    private(set) var steps: [Step] = []
    private var command: Command?

    init(_ text: String) {
        var block = ""
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("```") {
                endCommand()
                block = block.isEmpty ? String(line.dropFirst(3)) + " " : ""
            } else if block == "console " {
                read(console: String(line), index + 1)
            } else if block == "log " {
                steps.append(.log(String(line), line: index + 1))
            } else if let name = line.wholeMatch(of: /<!-- situation: (.+) -->/)?.1 {
                steps.append(.situation(String(name)))
            }
        }
    }

    private mutating func read(console line: String, _ number: Int) {
        if line.hasPrefix("$ ") {
            endCommand()
            command = Command(text: String(line.dropFirst(2)), line: number)
        } else if let open = command, open.output.isEmpty, open.text.hasSuffix("\\") {
            // Its next line.
            command = Command(text: "\(open.text)\n\(line)", line: open.line)
        } else if let status = line.wholeMatch(of: /\[exit code (\d+)\]/)?.1 {
            command?.exit = Int32(status) ?? -1
        } else {
            command?.output.append(line)
        }
    }

    private mutating func endCommand() {
        if var ended = command {
            // An empty line in front of the next command is no output.
            while ended.output.last == "" { ended.output.removeLast() }
            steps.append(.command(ended))
        }
        command = nil
    }
}
