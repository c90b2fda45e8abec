import Core
import PaymentCommands

extension ReceivedReply {
    /// Says what a program should know of it.
    var status: PublisherStatus {
        switch outcome {
        case .succeeded: .succeeded
        case .declined: .declined
        case .rejected: .rejected
        case .unknown: .unknown
        }
    }
}
