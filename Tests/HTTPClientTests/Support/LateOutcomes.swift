import HTTPClient
import Synchronization

/// What the callbacks of late exchanges were told.
final class LateOutcomes: Sendable {
    private let outcomes = Mutex<[Result<HTTPResponse, HTTPError>]>([])

    var all: [Result<HTTPResponse, HTTPError>] { outcomes.withLock { $0 } }

    var bodies: [String] {
        all.compactMap { try? $0.get() }.map { String(decoding: $0.body, as: UTF8.self) }
    }

    var errors: [HTTPError] {
        all.compactMap { if case .failure(let error) = $0 { error } else { nil } }
    }

    var callback: @Sendable (Result<HTTPResponse, HTTPError>) -> Void {
        { outcome in self.outcomes.withLock { $0.append(outcome) } }
    }
}
