import Core

extension Checker {
    /// A slot runs once, and nothing expires before the bank's own clock says so
    /// (docs/correctness.md#expiry-needs-proof).
    mutating func checkSweeps() {
        let slots = Dictionary(grouping: evidence.rows.runs.filter { $0.slot != nil }) {
            SweepSlot(job: $0.job, start: $0.slot ?? $0.startedAt)
        }
        let repeated = slots.values.count { $0.count > 1 }
        expect(repeated == 0, .slotsOnce, nil, "\(repeated) slots were taken more than once")
        // Nobody has started one by hand.
        let holders = Set(slots.values.joined().map(\.id))
        let strangers = evidence.finishedRuns.count { !holders.contains($0) }
        expect(
            strangers == 0 || evidence.forgotten.hasLostSchedule,
            .slotsOnce,
            nil,
            "\(strangers) sweeps have run without a slot of their own"
        )

        for expiry in evidence.expiries {
            let expiresAt = expiry.authorizationID.flatMap { evidence.bankExpiries[$0] }
            expect(
                expiresAt.map { $0.advanced(by: expiry.grace) <= expiry.bankTime } ?? false,
                .ledgersAgree,
                expiry.paymentID,
                "expired before the bank's clock said so"
            )
        }
    }

    /// By way of the outbox and the events: everything was told to whom it concerns, and always alike.
    mutating func checkNotifying() {
        checkQueues()
        checkOutbox()
        checkEvents()
        var bodies: [String: [UInt8]] = [:]
        for message in evidence.events + evidence.replies.map(\.message) {
            guard let id = message.messageID, id.hasSuffix("-final") || !id.hasPrefix("m-") else { continue }
            let payment = message.headers[HeaderName.paymentID]?.string.flatMap { PaymentID($0) }
            if payment.map(evidence.forgotten.payments.contains) ?? false { continue }
            let first = bodies[id, default: message.body]
            bodies[id] = first
            expect(
                first == message.body,
                .sameReply,
                payment,
                "\(id) was reported in two ways"
            )
        }
    }

    private mutating func checkQueues() {
        let queues = Dictionary(
            evidence.sent.map { ($0.id, ReplyAddress.allowed($0.message.replyTo) ?? evidence.defaultQueue) }
        ) { first, _ in first }
        for reply in evidence.replies {
            let queue = queues[reply.correlationID]
            expect(
                queue == reply.queue,
                .outcomesAreReported,
                reply.message.headers[HeaderName.paymentID]?.string.flatMap { PaymentID($0) },
                "the reply to \(reply.correlationID) went to \(reply.queue)"
            )
        }
    }

    private mutating func checkOutbox() {
        let replies = Set(evidence.replies.map { ReplyTrack(queue: $0.queue, $0.message) })
        let events = Set(evidence.events.map { ReplyTrack(queue: "", $0) })
        for row in evidence.rows.outbox {
            let (content, message) = (row.content, row.content.message)
            let text = "\(message.messageID ?? "a message") of the outbox"
            expect(row.isSent, .outcomesAreReported, content.paymentID, "\(text) still waits")
            guard row.isSent else { continue }
            let isNotified: Bool
            switch content.destination {
            case .replies(let queue):
                let track = ReplyTrack(queue: queue ?? evidence.defaultQueue, message)
                let isRecorded = content.operationID.map(evidence.rows.undeliverable.contains) ?? true
                isNotified = replies.contains(track) || evidence.returnedReplies.contains(track) && isRecorded
            case .deadLetters:
                // Its row may have been made from another copy of the same failure.
                let key = message.headers[HeaderName.idempotencyKey]?.string
                isNotified = evidence.rows.deadLetters.contains { $0.command.idempotencyKey?.description == key }
            default:
                isNotified = events.contains(ReplyTrack(queue: "", message))
            }
            expect(isNotified, .outcomesAreReported, content.paymentID, "\(text) was never published")
        }
    }

    /// What has become of each payment was told to whoever listens.
    private mutating func checkEvents() {
        let notified = Dictionary(grouping: evidence.events) { $0.headers[HeaderName.paymentID]?.string ?? "" }
            .mapValues { Set($0.map { EventTrack($0) }) }
        for view in evidence.rows.views where !evidence.forgotten.payments.contains(view.payment.id) {
            let known = notified[view.payment.id.description] ?? []
            for operation in view.operations {
                let name: String
                switch (operation.state, operation.kind) {
                case (.declined, _): name = "declined"
                case (.succeeded, .authorize): name = "authorized"
                case (.succeeded, .capture): name = "captured"
                case (.succeeded, .void): name = "voided"
                case (.succeeded, .refund): name = "refunded"
                default: continue
                }
                let track = EventTrack(type: "payment.\(name).v1", id: "\(operation.id)-\(name)")
                expect(
                    known.contains(track),
                    .outcomesAreReported,
                    view.payment.id,
                    "nobody heard that \(operation.name) is \(name)"
                )
            }
            guard evidence.expiries.contains(where: { $0.paymentID == view.payment.id }) else { continue }
            let isWithOperator = view.operations.contains {
                evidence.openDeadLetterKeys.contains($0.idempotencyKey.description)
            }
            expect(
                isWithOperator || known.contains { $0.type == "payment.expired.v1" },
                .outcomesAreReported,
                view.payment.id,
                "nobody heard that it has expired"
            )
        }
    }
}

private struct EventTrack: Hashable {
    let type: String
    let id: String

    init(type: String, id: String) {
        self.type = type
        self.id = id
    }

    init(_ message: Message) {
        self.init(type: message.type ?? "", id: message.messageID ?? "")
    }
}
