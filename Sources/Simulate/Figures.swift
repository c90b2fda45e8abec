import Program
import Simulation

/// Numbers for a reader.
enum Figures {
    static func print(_ tally: Tally) {
        let hours = tally.virtualTime / .seconds(3_600)
        let lines =
            Tally.counters.map { (number: grouped(tally[keyPath: $0.path]), name: $0.name) } + [
                (number: grouped(tally.steps), name: "steps"),
                (number: grouped(Int(hours)), name: "hours of virtual time"),
            ]
        for line in lines {
            StandardStream.output.print(
                String(repeating: " ", count: max(0, 15 - line.number.count)) + line.number + "  " + line.name
            )
        }
    }

    /// With three decimals, right-aligned.
    static func seconds(_ duration: Duration) -> String {
        let milliseconds = Int64(duration / .milliseconds(1))
        let fraction = String(1_000 + milliseconds % 1_000).dropFirst()
        let text = "\(milliseconds / 1_000).\(fraction)"
        return String(repeating: " ", count: max(0, 10 - text.count)) + text
    }

    static func hex(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// On stderr, for whoever waits.
    static func report(_ line: String) {
        StandardStream.error.print(line)
    }

    private static func grouped(_ number: Int) -> String {
        var groups: [Substring] = []
        var digits = String(number)[...]
        while digits.count > 3 {
            groups.insert(digits.suffix(3), at: 0)
            digits = digits.dropLast(3)
        }
        return ([digits] + groups).joined(separator: ",")
    }
}
