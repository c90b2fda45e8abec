/// What became of a command.
struct Execution: Equatable, Sendable {
    let answer: BankAnswer
    /// Nanoseconds from now until its key is stored, and only then the answer may leave; nil where no key is stored.
    var storesKeyAfter: Int64?
}
