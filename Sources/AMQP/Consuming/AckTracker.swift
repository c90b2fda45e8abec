/// The deliveries of a channel that the broker waits to hear of, and the fewest frames that tell it.
///
/// Acknowledgements collect here during a turn. `takeFrames` then makes one `multiple` acknowledgement of the longest run
/// of finished deliveries at the beginning, and a frame each of the finished ones beyond a gap.
struct AckTracker {
    struct Frame: Equatable {
        let tag: UInt64
        let multiple: Bool
    }

    private enum Mark {
        case outstanding
        case acknowledged
        /// The broker has been told.
        case settled
    }

    private var marks = SlidingWindow<Mark>()
    private var acknowledged: [UInt64] = []

    var isEmpty: Bool { marks.isEmpty }

    /// - Returns: false when the tag is not the one after the last: then nothing said about tags later would be safe.
    mutating func delivered(_ tag: UInt64) -> Bool {
        marks.append(.outstanding) == tag
    }

    /// A second settlement of the same delivery is ignored: sent, it would close the channel.
    mutating func acknowledge(_ tag: UInt64) {
        guard marks[tag] == .outstanding else { return }
        marks[tag] = .acknowledged
        acknowledged.append(tag)
    }

    /// - Returns: whether a rejection is to be sent: false for what is settled already. It must go out before the frames of
    ///   the same turn, whose `multiple` could otherwise cover it.
    mutating func reject(_ tag: UInt64) -> Bool {
        guard marks[tag] == .outstanding else { return false }
        marks[tag] = .settled
        while let first = marks[marks.first], first == .settled { _ = marks.remove(marks.first) }
        return true
    }

    /// Appends the frames of this turn's acknowledgements.
    mutating func takeFrames(into frames: inout [Frame]) {
        guard !acknowledged.isEmpty else { return }
        var last: UInt64 = 0
        var count = 0
        var tag = marks.first
        while let mark = marks[tag], mark != .outstanding {
            if mark == .acknowledged {
                last = tag
                count += 1
            }
            _ = marks.remove(tag)
            tag += 1
        }
        // The tag of a multiple acknowledgement must itself be unsettled, else the broker closes the channel (406).
        if count > 0 { frames.append(Frame(tag: last, multiple: count > 1)) }
        for tag in acknowledged where marks[tag] == .acknowledged {
            frames.append(Frame(tag: tag, multiple: false))
            marks[tag] = .settled
        }
        acknowledged.removeAll(keepingCapacity: true)
    }
}
