/// Takes dead letters off the list for good, with a reason that the audit keeps.
package struct DeadLetterDiscard: Sendable {
    private let store: any DeadLetterActions

    package init(store: any DeadLetterActions) {
        self.store = store
    }

    /// - Parameters:
    ///   - ids: frozen; what has been dealt with since is skipped.
    ///   - actor: for the audit.
    ///   - reason: for the audit.
    package func run(_ ids: [DeadLetterID], by actor: String, reason: String) async -> DeadLetterReport {
        var report = DeadLetterReport(selected: ids.count)
        for id in ids {
            if Task.isCancelled {
                report.isCutShort = true
                break
            }
            do throws(StoreError) {
                let outcome = try await store.discard(id, by: actor, reason: reason)
                report.note(id, DeadLetterReport.Item(outcome))
            } catch {
                report.note(id, .failed(error.description))
            }
        }
        return report
    }
}

extension DeadLetterReport.Item {
    init(_ outcome: DiscardOutcome) {
        if case .discarded(let command?) = outcome {
            self = .doneLeaving(command)
        } else {
            self = outcome.explanation.map { .skipped($0, isHarmless: outcome.isHarmless) } ?? .done
        }
    }
}
