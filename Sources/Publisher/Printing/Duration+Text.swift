extension Duration {
    /// As the configuration writes it: `250ms`, `15s`, `2m`, `1h`, in the largest unit that has no remainder.
    var text: String {
        let milliseconds = self / .milliseconds(1)
        let whole = Int64(milliseconds.rounded())
        for (unit, name) in [(3_600_000, "h"), (60_000, "m"), (1_000, "s")] as [(Int64, String)]
        where whole > 0 && whole % unit == 0 {
            return "\(whole / unit)\(name)"
        }
        return "\(whole)ms"
    }
}
