import ArgumentParser
import Core

enum LoadScenario: String, CaseIterable, ExpressibleByArgument, Sendable {
    case authorize, lifecycle, replay

    /// What is sent for each payment, each after the reply to the one before.
    var steps: [OperationKind] { self == .lifecycle ? [.authorize, .capture, .refund] : [.authorize] }
}

/// When the next command leaves.
enum LoadPace: Sendable {
    /// As soon as fewer than this many are under way.
    case window(Int)
    /// So many a second.
    case rate(Int)
}
