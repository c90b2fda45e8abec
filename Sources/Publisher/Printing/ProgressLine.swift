/// The line that grows while a batch runs.
struct ProgressLine {
    let completed: Int
    let total: Int
    let notSucceeded: Int
    let elapsed: Duration

    /// For a terminal of this many characters.
    func text(width: Int) -> String {
        let share = total == 0 ? 1 : Double(completed) / Double(total)
        let seconds = elapsed / .seconds(1)
        let rate = seconds > 0 ? Int((Double(completed) / seconds).rounded()) : 0
        let failures = notSucceeded > 0 ? "  \(MoneyText.grouped(notSucceeded)) not succeeded" : ""
        let figures =
            " \(Int(share * 100))%  \(MoneyText.grouped(completed)) of \(MoneyText.grouped(total))"
            + "  \(MoneyText.grouped(rate))/s\(failures)"
        let room = min(width - figures.count - 3, 40)
        guard room >= 5 else { return String(figures.dropFirst().prefix(max(width - 1, 0))) }
        let full = Int(share * Double(room))
        return "[" + String(repeating: "#", count: full) + String(repeating: ".", count: room - full) + "]" + figures
    }
}
