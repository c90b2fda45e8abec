import Core

/// Where an operation is found by the message that has begun it: the hour of its creation in front of a hash of the message's id.
///
/// An index over the ids themselves would have every command write to a random page of it. By the hour, all commands of an hour write to
/// the same few pages, whatever their ids are, and a look-up costs a step of the index for each hour that there is.
struct MessageSlot: Hashable, Sendable {
    let value: Int64

    private static let hour: Int64 = 3_600_000_000

    init(of messageID: String, at time: Timestamp) {
        value = (time.microseconds / Self.hour) << 32 | Self.hash(messageID)
    }

    /// The lower half: 32 bits of FNV-1a. Two ids may have the same, so the id itself is compared as well.
    static func hash(_ messageID: String) -> Int64 {
        var hash: UInt32 = 0x811c_9dc5
        for byte in messageID.utf8 { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        return Int64(hash)
    }

    /// The payments of the operations that a message has begun.
    ///
    /// - Parameters:
    ///   - message: the placeholder of its id.
    ///   - hash: that of its hash.
    static func payments(_ message: String, _ hash: String) -> String {
        """
        SELECT payment_id FROM operations
        WHERE message_id = \(message) AND message_slot = ANY (ARRAY(
            SELECT (hour << 32) | \(hash)::bigint FROM generate_series(
                (SELECT min(message_slot) >> 32 FROM operations), (SELECT max(message_slot) >> 32 FROM operations)
            ) AS hour
        ))
        """
    }
}
