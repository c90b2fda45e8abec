/// What was waited for has not come about.
package struct NeverHappened: Error, CustomStringConvertible {
    package let description: String
}

/// Waits until a condition holds, looking again and again.
///
/// - Parameters:
///   - what: what is waited for, for the failure; completes the sentence "it never happened that …".
///   - limit: generous: it only bounds how long a failing test takes.
///   - context: asked only on failure, for instance the last lines of a log.
/// - Throws: `NeverHappened` when the limit has passed, or what the condition threw.
package func eventually(
    _ what: String,
    within limit: Duration = .seconds(60),
    context: () -> String = { "" },
    _ condition: () async throws -> Bool
) async throws {
    _ = try await eventually(what, within: limit, context: context) { try await condition() ? true : nil }
}

/// Waits until there is a value.
package func eventually<Value>(
    _ what: String,
    within limit: Duration = .seconds(60),
    context: () -> String = { "" },
    _ value: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while true {
        if let value = try await value() { return value }
        guard ContinuousClock.now < deadline else {
            let context = context()
            let detail = context.isEmpty ? "" : "\n\(context)"
            throw NeverHappened(description: "within \(limit) it never happened that \(what)\(detail)")
        }
        try await Task.sleep(for: .milliseconds(25))
    }
}
