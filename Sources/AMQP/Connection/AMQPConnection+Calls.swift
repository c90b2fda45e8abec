extension AMQPConnection {
    /// Which channel a call belongs to.
    enum Lane {
        case control
        /// The consumer's of that index.
        case consuming(Int)
    }

    /// Makes a call and waits for its answer. Not cancellable: the broker answers soon, or the connection ends.
    ///
    /// - Throws: `channelClosed` when the broker refuses, `timeout`, or why the connection has ended.
    func call(on lane: Lane, _ steps: [Call.Step]) async throws(AMQPError) -> Call.Reply {
        if let end { throw end }
        guard case .no = closing else { throw AMQPError(.closed) }
        let answer = await withCheckedContinuation { continuation in
            let call = Call(steps, deadline: Call.deadline(), continuation: continuation)
            switch lane {
            case .control: control.add(call)
            case .consuming(let index): consuming.withLane(index) { $0.channel.add(call) }
            }
        }
        return try answer.get()
    }

    /// Names above 255 bytes would be cut short by librabbitmq without a word, tables must fit into a frame.
    func validate(_ names: [String], _ arguments: AMQPTable = [:]) throws(AMQPError) {
        guard names.allSatisfy({ $0.utf8.count <= 255 }) else {
            throw AMQPError(.invalidArgument, problem: "a name is longer than 255 bytes")
        }
        let limit = (link?.frameMax ?? 0) - 4_096
        guard arguments.isEmpty || (arguments.encodedSize() ?? .max) <= limit else {
            throw AMQPError(.invalidArgument, problem: "the arguments cannot be encoded")
        }
    }
}
