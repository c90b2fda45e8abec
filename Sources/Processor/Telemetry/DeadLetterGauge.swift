import Core
import CoreMetrics

/// Counts the dead letters that nobody has dealt with, when somebody looks: all processors share them.
struct DeadLetterGauge: Sendable {
    let queries: any DeadLetterQueries
    let metrics: ProcessorMetrics

    /// A scrape does not wait longer for a database that is away; it shows the last count then.
    private static let patience = Duration.seconds(2)

    func refresh() async {
        let count: Int? = await withTaskGroup(of: Int?.self) { group in
            group.addTask { try? await queries.unfinishedDeadLetters().values.reduce(0, +) }
            group.addTask {
                try? await Task.sleep(for: Self.patience)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        if let count { metrics.deadLettersOpen.set(count) }
    }
}
