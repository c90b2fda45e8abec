import Core

/// How a delivery of a command ended, as the label `outcome`: as many values as there are cases.
enum CommandOutcome: String, CaseIterable, Sendable {
    case succeeded, declined, rejected, unknown, replayed
    case deferred = "parked"
    case deadLettered = "dead_lettered"

    init(_ disposition: Disposition) {
        switch disposition {
        case .reply(_, .succeeded, _): self = .succeeded
        case .reply(_, .declined, _): self = .declined
        case .reply(_, .rejected, _): self = .rejected
        case .reply(_, .unknown, _): self = .unknown
        case .reply(_, .replayed, _): self = .replayed
        case .deferred, .requeue: self = .deferred
        case .deadLetter: self = .deadLettered
        }
    }
}

extension Disposition {
    /// The code of the error in the reply: of what was declined, rejected, or is not known yet.
    var errorCode: String? {
        switch self {
        case .reply(let reply, .declined, _), .reply(let reply, .rejected, _), .reply(let reply, .unknown, _):
            (try? JSONParser.parse(reply.message.body))?["error"]?["code"]?.string
        case .deadLetter(let code, _, _, _, _): code
        case .reply, .deferred, .requeue: nil
        }
    }

    /// Why it comes again later: of what is deferred.
    var deferral: String? {
        switch self {
        case .deferred(_, let reason, _, _): reason
        case .requeue: "overtook"
        case .reply, .deadLetter: nil
        }
    }
}
