/// The message that says that a slot has begun. Every processor sends it; the slot, not the message, takes effect once.
package enum SweepTick {
    package static let type = "sweep.tick.v1"

    package static func message(_ slot: SweepSlot) -> Message {
        let body = JSONValue.object([
            "job": .string(slot.job.rawValue), "slot": .string(slot.start.description),
        ])
        return Message(
            type: type,
            contentType: "application/json",
            messageID: "\(slot.job.rawValue)-\(slot.start)",
            body: body.encoded
        )
    }

    /// `nil` for a message that is none of ours.
    package static func slot(of message: Message) -> SweepSlot? {
        guard message.type == type, let body = try? JSONParser.parse(message.body),
            let job = body["job"]?.string.flatMap({ SweepJob(rawValue: $0) }),
            let start = body["slot"]?.string.flatMap({ Timestamp($0) })
        else { return nil }
        return SweepSlot(job: job, start: start)
    }
}

/// A message that says nothing: that it arrives is all. Sent to the queue of the ticks, where one that nobody takes is gone after
/// a minute.
package enum Heartbeat {
    package static let type = "heartbeat.v1"

    package static let message = Message(type: type, contentType: "application/json", body: Array("{}".utf8))
}
