extension OperationResult {
    /// An operator has said how it ended, and the bank does not contradict.
    package static func resolved(_ claim: Claim, _ resolution: Resolution, now: Timestamp) -> OperationResult {
        switch resolution.end {
        case .succeeded(let effect, let response):
            final(
                claim,
                .succeeded,
                payment: resolution.payment(after: claim, now: now),
                response: response,
                error: nil,
                orphan: resolution.orphan,
                cause: resolution.cause(of: claim.operation.kind),
                lateNote: "late resolution refused: \(effect.bankID)"
            )
        case .failed:
            final(
                claim,
                .declined,
                payment: resolution.payment(after: claim, now: now),
                response: nil,
                error: .resolvedAsFailed,
                orphan: resolution.orphan,
                cause: resolution.cause(of: claim.operation.kind),
                lateNote: "late resolution refused: failed"
            )
        }
    }

    /// Waits for manual review again, as before it was taken: what there was to report of that is reported.
    package static func givenBack(_ claim: Claim) -> OperationResult {
        needsAttention(claim, reason: claim.operation.attentionReason, sends: claim.operation.sends)
            .keepingNotified(of: claim)
    }
}

extension Resolution {
    fileprivate func cause(of kind: OperationKind) -> String {
        "\(kind.rawValue) resolved as \(order.end.rawValue) by \(order.actor): \(order.reason)\(orphan.cause)"
    }
}

extension ReplyError {
    /// The end of an operation of which an operator says that the bank has not done it, and will not.
    static let resolvedAsFailed = ReplyError(
        code: "resolved_as_failed",
        message: "an operator has resolved this operation as failed",
        isRetryable: false,
        source: .processor
    )
}
