/// The messages written to a channel in confirm mode and not confirmed yet.
///
/// A message stays in the window until its confirm has come, even when its caller has gone (timeout, cancellation):
/// the sequence numbers of all later ones depend on it.
struct ConfirmWindow {
    private struct Entry {
        let request: PublishRequest
        var isAnswered = false
        var returned: AMQPPublishOutcome?

        func answer(_ answer: PublishRequest.Answer) {
            if !isAnswered { request.answer(answer) }
        }
    }

    private var entries = SlidingWindow<Entry>()
    /// Returns come in the order of publishing: the search for the next one starts here.
    private var firstNotReturned: UInt64 = 1

    /// Those that the broker has not confirmed yet.
    private(set) var unconfirmed = 0
    /// Those of them whose callers still wait.
    private var awaited = 0

    var isEmpty: Bool { entries.isEmpty }

    /// Whether there are unconfirmed messages, and nobody waits for any of them.
    var isGivenUp: Bool { unconfirmed > 0 && awaited == 0 }

    /// Takes the message that has been written, under the next sequence number.
    mutating func append(_ request: PublishRequest) {
        entries.append(Entry(request: request))
        unconfirmed += 1
        awaited += 1
    }

    /// A `basic.ack` or `basic.nack` of the broker.
    ///
    /// - Returns: false when it names a message that was never sent.
    mutating func confirm(_ tag: UInt64, multiple: Bool, outcome: AMQPPublishOutcome) -> Bool {
        guard tag < entries.next else { return false }
        // Tag 0 with `multiple` means all.
        let last = multiple && tag == 0 ? entries.next - 1 : tag
        var number = multiple ? min(entries.first, last) : last
        while number <= last, number > 0 {
            if let entry = entries.remove(number) {
                unconfirmed -= 1
                if !entry.isAnswered { awaited -= 1 }
                entry.answer(.success(entry.returned ?? outcome))
            }
            number += 1
        }
        return true
    }

    /// A `basic.return`, which names no sequence number: found by what was published. It precedes the confirm of its
    /// message. Headers are not compared, because plugins of the broker may add to them. Between messages alike in
    /// everything compared it does not matter which is taken.
    ///
    /// - Returns: false when no message in the window can be meant.
    mutating func markReturned(
        _ message: AMQPMessage,
        exchange: String,
        routingKey: String,
        as outcome: AMQPPublishOutcome
    ) -> Bool {
        func isMeant(_ entry: Entry?) -> Bool {
            guard let entry, entry.returned == nil, entry.request.mandatory else { return false }
            let sent = entry.request.message
            return entry.request.exchange == exchange && entry.request.routingKey == routingKey
                && sent.properties.messageID == message.properties.messageID
                && sent.properties.correlationID == message.properties.correlationID
                && sent.properties.undecoded == message.properties.undecoded && sent.body == message.body
        }
        let start = max(entries.first, firstNotReturned)
        let candidates = [start..<entries.next, entries.first..<start]
        for range in candidates {
            guard let number = range.first(where: { isMeant(entries[$0]) }) else { continue }
            entries[number]?.returned = outcome
            firstNotReturned = number + 1
            return true
        }
        return false
    }

    /// Answers those that are overdue and keeps their places.
    ///
    /// - Returns: the earliest deadline of the others.
    mutating func expire(now: MonotonicTime) -> MonotonicTime? {
        var earliest: MonotonicTime?
        giveUp(AMQPError(.confirmTimeout, outcomeUnknown: true)) { request in
            guard let deadline = request.deadline else { return false }
            if deadline > now { earliest = min(earliest ?? deadline, deadline) }
            return deadline <= now
        }
        return earliest
    }

    /// Answers those whose callers were cancelled and keeps their places.
    mutating func cancel(_ ids: Set<UInt64>) {
        giveUp(AMQPError(.cancelled, outcomeUnknown: true)) { ids.contains($0.id) }
    }

    /// The channel is gone: nobody will ever know.
    mutating func failAll(_ error: AMQPError) {
        let lost = entries.removeAll()
        firstNotReturned = 1
        (unconfirmed, awaited) = (0, 0)
        for entry in lost { entry.answer(.failure(error.withUnknownOutcome())) }
    }

    private mutating func giveUp(_ error: AMQPError, where isMeant: (PublishRequest) -> Bool) {
        for number in entries.first..<entries.next {
            guard let entry = entries[number], !entry.isAnswered, isMeant(entry.request) else { continue }
            entry.answer(.failure(error))
            entries[number]?.isAnswered = true
            awaited -= 1
        }
    }
}
