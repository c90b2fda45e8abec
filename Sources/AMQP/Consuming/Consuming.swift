/// The consuming side of a connection, on its thread.
struct Consuming {
    struct Consumer {
        let buffer: DeliveryBuffer
        let activity: ConsumerActivity
        /// Known to the broker, on this life of the channel.
        var isSubscribed = false
    }

    struct Rejection {
        let tag: UInt64
        let requeue: Bool
    }

    var channel = Channel(number: 2)
    /// By the number that is their consumer tag.
    var consumers: [UInt64: Consumer] = [:]
    var lastConsumer: UInt64 = 0
    var settlements: SettlementQueue
    var tracker = AckTracker()
    /// A message that is arriving.
    var incoming: IncomingContent?
    /// To be written this turn.
    var acknowledgements: [AckTracker.Frame] = []
    var rejections: [Rejection] = []
    /// Kept for its memory.
    var taken: [SettlementQueue.Settlement] = []

    init(settlements: SettlementQueue) {
        self.settlements = settlements
    }

    var hasFrames: Bool { !acknowledgements.isEmpty || !rejections.isEmpty }

    mutating func takeSettlements() {
        settlements.take(into: &taken)
        guard !taken.isEmpty else { return }
        for settlement in taken {
            switch settlement {
            case .acknowledge(let tag): tracker.acknowledge(tag)
            case .reject(let tag, let requeue): reject(tag, requeue: requeue)
            }
        }
        taken.removeAll(keepingCapacity: true)
        tracker.takeFrames(into: &acknowledgements)
    }

    mutating func reject(_ tag: UInt64, requeue: Bool) {
        if tracker.reject(tag) { rejections.append(Rejection(tag: tag, requeue: requeue)) }
    }

    /// This life of the channel is over, and with it all delivery tags.
    mutating func channelEnded(_ error: AMQPError, next: SettlementQueue) {
        settlements.close(error)
        settlements = next
        tracker = AckTracker()
        incoming = nil
        acknowledgements = []
        rejections = []
        for (number, consumer) in consumers where consumer.isSubscribed {
            consumers[number] = nil
            consumer.buffer.finish(error, dropping: true)
        }
    }

    mutating func failAll(_ error: AMQPError) {
        channel.failAll(error)
        settlements.close(error)
        let ended = consumers.values
        consumers = [:]
        // Closed by this side: an end like any other.
        for consumer in ended { consumer.buffer.finish(error.code == .closed ? nil : error, dropping: true) }
    }
}
