/// The names of the headers, in one place (docs/contract.md#commands, docs/contract.md#replies).
package enum HeaderName {
    package static let paymentID = "payment-id"
    package static let idempotencyKey = "idempotency-key"
    package static let merchantID = "merchant-id"
    package static let deadline = "deadline"
    package static let traceparent = "traceparent"
    package static let idempotentReplayed = "idempotent-replayed"
    /// On a reply: the command named a reply queue that is not allowed.
    package static let replyToIgnored = "reply-to-ignored"
    package static let errorCode = "error-code"
    package static let errorMessage = "error-message"

    /// Ours, on a deferred copy: since when, in microseconds since the epoch, it has been waiting for another command
    /// of its payment (docs/correctness.md#busy-payment).
    package static let waitingSince = "waiting-since"

    /// Ours, on a deferred copy: what waited before it then, a number (docs/correctness.md#lost-places).
    package static let waitingLine = "waiting-line"

    /// Ours, on a deferred copy: how often it was deferred because its outcome is not known.
    package static let deferrals = "parks"

    /// Ours, on a copy: the broker gave the command up as expired before anybody handled it.
    package static let expiredUnseen = "expired-unseen"

    /// Ours, on a copy of a command that no queue took: since when, in microseconds since the epoch.
    package static let unroutedSince = "unrouted-since"

    /// Ours, on a dead letter: names the failure, so that a dead letter that is published twice is one row.
    package static let failureInstance = "failure-instance"
    /// Ours, on a dead letter: when it failed, in microseconds since the epoch.
    package static let failedAt = "failed-at"
    /// Ours, on a replayed copy: the dead letter that it was. Survives a deferral, so that a second failure can be
    /// linked.
    package static let replayOf = "replay-of"

    /// Ours, on a copy: the `user_id` of its command, which we may not publish under.
    package static let publishedBy = "published-by"

    /// Ours, on a copy that has any of the others: shows that they are ours, see `CopyMarks`.
    package static let copyMark = "copy-mark"

    /// Those of a command whose values name something, and stay as they are.
    package static let ids: Set<String> = [paymentID, idempotencyKey, merchantID, deadline, traceparent]

    /// Those of ours that `copyMark` covers. Not `waitingLine`: it is of no use to anybody who does not know the store, and a processor of
    /// the version before could not check the mark (docs/operations.md#upgrade).
    package static let marked = bookkeeping.subtracting([waitingLine, copyMark])

    /// What we have added to a message on its way: no part of the command.
    package static let bookkeeping: Set<String> = [
        waitingSince, waitingLine, deferrals, expiredUnseen, unroutedSince, errorCode, errorMessage, failureInstance,
        failedAt,
        replayOf, publishedBy,
        copyMark,
    ]
}

/// Tells the headers that we add to a copy on its way from the same names in the hands of a client, where they change nothing
/// (docs/contract.md#commands): a copy carries a keyed digest over them.
package struct CopyMarks: Sendable {
    private let fingerprinter: Fingerprinter

    package init(_ fingerprinter: Fingerprinter) {
        self.fingerprinter = fingerprinter
    }

    /// The message with the mark that fits the headers of ours that it has, if any.
    package func marked(_ message: Message) -> Message {
        var message = message
        message.headers[HeaderName.copyMark] = nil
        if let fields = fields(of: message) {
            message.headers[HeaderName.copyMark] = .string(Self.text(of: fingerprinter.digest(of: fields)))
        }
        return message
    }

    /// The message without what is not ours though it is called so.
    func trusted(_ message: Message) -> Message {
        guard let fields = fields(of: message) else { return message }
        let mark = message.headers[HeaderName.copyMark]
        // One that was under way while the secret changed is ours, too.
        if mark == .string(Self.text(of: fingerprinter.digest(of: fields)))
            || fingerprinter.previousDigests(of: fields).contains(where: { mark == .string(Self.text(of: $0)) })
        {
            return message
        }
        var message = message
        for name in HeaderName.bookkeeping { message.headers[name] = nil }
        return message
    }

    /// `nil` where there is nothing to mark.
    private func fields(of message: Message) -> [[UInt8]]? {
        var fields: [[UInt8]] = []
        for name in HeaderName.marked.sorted() {
            guard let value = message.headers[name] else { continue }
            fields.append(Array("\(name)=\(value)".utf8))
        }
        guard !fields.isEmpty else { return nil }
        let ids = [
            message.messageID, message.headers[HeaderName.paymentID]?.string,
            message.headers[HeaderName.idempotencyKey]?.string,
        ]
        return [Array("copy".utf8)] + ids.map { Array(($0 ?? "").utf8) } + fields
    }

    private static func text(of digest: [UInt8]) -> String { Hex.text(of: digest.prefix(16)) }
}

/// A sink whose copies carry the mark of their headers.
struct MarkingSink: MessageSink {
    private let sink: any MessageSink
    private let marks: CopyMarks

    init(_ sink: any MessageSink, _ marks: CopyMarks) {
        self.sink = sink
        self.marks = marks
    }

    func publish(_ message: Message, to destination: Destination) async throws(SinkError) -> PublishOutcome {
        switch destination {
        case .commands, .retry: try await sink.publish(marks.marked(message), to: destination)
        case .replies, .deadLetters, .event, .sweeps: try await sink.publish(message, to: destination)
        }
    }
}
