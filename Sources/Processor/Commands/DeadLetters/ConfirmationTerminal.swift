import Glibc
import Program

/// The operator at the terminal, if there is one.
struct ConfirmationTerminal: Sendable {
    let isThere: Bool
    private let readLine: @Sendable () -> String?

    /// Standard input and standard error are both a terminal: what is asked is seen, and what is typed comes from an
    /// operator.
    static let standard = ConfirmationTerminal(isThere: isatty(0) == 1 && isatty(2) == 1) { Swift.readLine() }

    init(isThere: Bool, readLine: @escaping @Sendable () -> String?) {
        self.isThere = isThere
        self.readLine = readLine
    }

    /// `nil` where no number was typed.
    func askForCount(_ question: String) -> Int? {
        StandardStream.error.print(question)
        return readLine().flatMap { line in Int(line.filter { !$0.isWhitespace }) }
    }

    /// Whether the operator agrees, in a whole word.
    func consents(to question: String) -> Bool {
        StandardStream.error.print("\(question)\nType yes to do it: ")
        return readLine()?.filter { !$0.isWhitespace } == "yes"
    }

    /// For the audit of what is done on this machine: who has logged in, also behind sudo.
    static var operatorName: String {
        let environment = getenv("SUDO_USER").map { String(cString: $0) }
        let account = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) }
        let name = environment.flatMap { $0.isEmpty ? nil : $0 } ?? account ?? "uid \(getuid())"
        return String(name.prefix(128))
    }
}
