/// What a claim does, given the rows that it found under lock. Shared by every store, so that all decide alike.
package struct ClaimDecision: Hashable, Sendable {
    package let outcome: ClaimOutcome
    package let write: Write?
    /// What becomes of the command's place among those that wait.
    package private(set) var registration = Registration.unchanged

    package enum Registration: Hashable, Sendable {
        case unchanged
        /// It waits from now on, behind those that do already.
        case add
        /// This message waits no longer.
        case remove
        /// Nor does any other copy of its command.
        case removeAllCopies
    }

    /// The rows to write, all in the transaction that found them.
    package struct Write: Hashable, Sendable {
        package let operation: Operation
        package let isNewOperation: Bool
        package let payment: Payment?
        package let isNewPayment: Bool
        package let transition: Transition?
    }

    private init(_ outcome: ClaimOutcome, write: Write? = nil) {
        self.outcome = outcome
        self.write = write
    }

    /// The order of the checks is docs/contract.md#order-of-checks, from the second check on.
    ///
    /// - Parameters:
    ///   - request: what is to be claimed.
    ///   - existing: the operation under the merchant and key of the command.
    ///   - payment: the payment under its payment id, whoever owns it.
    ///   - waiting: the commands under its payment id that wait.
    ///   - now: the database's clock: leases and deadlines are judged by it alone (docs/correctness.md#takeover,
    ///     docs/correctness.md#whose-clock).
    ///   - fingerprinter: with the secrets of this database.
    package init(
        _ request: ClaimRequest,
        existing: Operation?,
        payment: Payment?,
        waiting: [WaitingCommand] = [],
        now: Timestamp,
        fingerprinter: Fingerprinter
    ) {
        let line = WaitingLine(waiting, of: request.command)
        self.init(request, existing, payment, line, now, fingerprinter)
        registration = line.registration(for: outcome)
    }

    private init(
        _ request: ClaimRequest,
        _ existing: Operation?,
        _ payment: Payment?,
        _ line: WaitingLine,
        _ now: Timestamp,
        _ fingerprinter: Fingerprinter
    ) {
        let command = request.command
        let own = payment.flatMap { $0.merchantID == command.merchantID ? $0 : nil }
        let amount = command.kind == .void ? nil : command.parameters.statedAmount ?? own?.amount.minorUnits
        if let existing {
            self =
                fingerprinter.recognizes(existing.fingerprint, of: command, resolvedAmount: amount)
                ? Self.known(existing, own, request, now)
                : Self(.rejected(.idempotencyKeyReused, nil))
            return
        }
        let fingerprint = fingerprinter.fingerprint(of: command, resolvedAmount: amount)
        let opening = Opening(request: request, fingerprint: fingerprint, now: now)
        let isTooLate = request.expiry != .none || command.deadline.map { $0 < now } ?? false
        if isTooLate {
            self.init(.rejected(.deadlinePassed, command.kind == .authorize ? nil : own))
        } else if case .authorize(let parameters) = command.parameters {
            if payment != nil {
                self = opening.reject(.paymentExists, own)
            } else {
                self = line.hasEarlierAuthorize ? Self(.wait(.earlierCommand, nil)) : opening.start(parameters)
            }
        } else if let own {
            self = Self.onto(own, opening, line)
        } else if line.hasAuthorize || !request.hasWaited {
            self.init(.wait(.authorizeUnknown, nil))
        } else {
            self.init(.rejected(.paymentNotFound, nil))
        }
    }

    private static func onto(_ payment: Payment, _ opening: Opening, _ line: WaitingLine) -> ClaimDecision {
        let command = opening.request.command
        if let stated = command.parameters.statedAmount, stated != payment.amount.minorUnits {
            return opening.reject(.amountMismatch, payment)
        }
        if payment.status.isInProgress { return ClaimDecision(.wait(.paymentInProgress, payment)) }
        if line.hasEarlierChange { return ClaimDecision(.wait(.earlierCommand, payment)) }
        guard command.kind.origins.contains(payment.status) else { return opening.reject(.invalidTransition, payment) }
        return opening.proceed(payment)
    }

    /// A key that is known, with the same command.
    private static func known(
        _ existing: Operation,
        _ payment: Payment?,
        _ request: ClaimRequest,
        _ now: Timestamp
    ) -> ClaimDecision {
        let isOurs = existing.claimToken == request.token
        switch existing.state {
        case .succeeded, .declined, .rejected:
            return ClaimDecision(.completed(existing, isReplay: !isOurs))
        case .needsAttention:
            return ClaimDecision(.needsAttention(existing, payment))
        case .sent where request.expiry == .expiredAndOnlyChecking,
            .unknown where request.expiry == .expiredAndOnlyChecking:
            return ClaimDecision(.waitForKey(HeldKey(existing, payment, now: now)))
        case .sent where isOurs:
            // Our own claim, whose COMMIT was not answered: take it up, with the lease counted anew.
            var operation = existing
            operation.leaseUntil = now.advanced(by: request.lease)
            return take(existing, payment, as: operation)
        case .unknown where isOurs && request.executed != nil:
            return take(existing, payment, as: existing)
        case .sent where request.executed == existing.fencingToken:
            var taken = existing.takenForInquiry(by: request.token, lease: request.lease, now: now)
            // Nothing is sent, so nothing needs a lease: should this attempt be lost too, the next one waits no longer for it.
            taken.leaseUntil = existing.leaseUntil
            return take(existing, payment, as: taken)
        case .sent, .unknown:
            guard existing.leaseUntil <= now else {
                return ClaimDecision(.waitForKey(HeldKey(existing, payment, now: now)))
            }
            return take(existing, payment, as: existing.taken(by: request.token, lease: request.lease, now: now))
        }
    }

    /// Takes up an operation that is there already.
    ///
    /// - Parameters:
    ///   - existing: as it was found.
    ///   - operation: the same in our hands.
    private static func take(_ existing: Operation, _ payment: Payment?, as operation: Operation) -> ClaimDecision {
        guard let payment else { return ClaimDecision(.needsAttention(existing, nil)) }
        return ClaimDecision(
            .claimed(Claim(operation: operation, payment: payment)),
            write: Write(
                operation: operation,
                isNewOperation: false,
                payment: nil,
                isNewPayment: false,
                transition: nil
            )
        )
    }

    /// A new key: its operation row is opened, or closed at once with a stored rejection.
    private struct Opening {
        let request: ClaimRequest
        let fingerprint: Fingerprint
        let now: Timestamp

        func start(_ parameters: AuthorizeParameters) -> ClaimDecision {
            let payment = Payment(
                id: request.command.paymentID,
                merchantID: request.command.merchantID,
                orderID: parameters.orderID,
                customerID: parameters.customerID,
                amount: parameters.amount,
                createdAt: now,
                activeOperation: request.operationID
            )
            return claim(payment, before: nil)
        }

        func proceed(_ payment: Payment) -> ClaimDecision {
            let held = payment.moved(to: request.command.kind.inProgress, activeOperation: request.operationID)
            return claim(held, before: payment)
        }

        func reject(_ code: RejectionCode, _ payment: Payment?) -> ClaimDecision {
            let command = request.command
            let reply = Reply(
                operation: command.kind,
                outcome: .rejected,
                error: ReplyError(code),
                payment: payment,
                paymentID: command.paymentID,
                idempotencyKey: command.idempotencyKey
            )
            let operation = operation(state: .rejected, origin: nil, reply: reply.encoded)
            return ClaimDecision(
                .completed(operation, isReplay: false),
                write: Write(
                    operation: operation,
                    isNewOperation: true,
                    payment: nil,
                    isNewPayment: false,
                    transition: nil
                )
            )
        }

        private func claim(_ payment: Payment, before: Payment?) -> ClaimDecision {
            let kind = request.command.kind
            let operation = operation(state: .sent, origin: before?.status, reply: nil)
            return ClaimDecision(
                .claimed(Claim(operation: operation, payment: payment)),
                write: Write(
                    operation: operation,
                    isNewOperation: true,
                    payment: payment,
                    isNewPayment: before == nil,
                    transition: Transition(
                        from: before,
                        to: payment,
                        operation: kind,
                        cause: "\(kind.rawValue) claimed"
                    )
                )
            )
        }

        private func operation(state: OperationState, origin: PaymentStatus?, reply: [UInt8]?) -> Operation {
            let command = request.command
            let isClaim = state == .sent
            return Operation(
                id: request.operationID,
                merchantID: command.merchantID,
                idempotencyKey: command.idempotencyKey,
                kind: command.kind,
                paymentID: command.paymentID,
                fingerprint: fingerprint,
                bankKey: request.bankKey,
                route: command.route,
                createdAt: now,
                origin: origin,
                firstSentAt: isClaim ? now : nil,
                state: state,
                fencingToken: 1,
                leaseUntil: isClaim ? now.advanced(by: request.lease) : now,
                claimToken: request.token,
                attempts: isClaim ? 1 : 0,
                reply: reply
            )
        }
    }
}

/// The commands of one payment and merchant that wait, seen by one command of theirs.
struct WaitingLine {
    /// The others, and among them those that arrived before it.
    private let others: [WaitingCommand]
    private let earlier: [WaitingCommand]
    /// Whether this message has a place of its own, or another copy of its command.
    private let isRegistered: Bool
    private let isKeyRegistered: Bool

    /// - Parameter waiting: of the payment, whoever sent them: a payment belongs to one merchant.
    init(_ waiting: [WaitingCommand], of command: Command) {
        let own = waiting.filter { $0.merchantID == command.merchantID }
        let copies = own.filter { $0.hasKey(of: command) }
        let place = copies.map(\.position).min()
        isRegistered = copies.contains { $0.isOf(command) }
        isKeyRegistered = place != nil
        others = own.filter { !$0.hasKey(of: command) }
        earlier = others.filter { $0.position < place ?? .max }
    }

    /// An authorize comes first, whatever arrived before it; only another authorize under its payment id may be before it.
    var hasEarlierAuthorize: Bool { earlier.contains { $0.kind == .authorize } }

    /// Where the payment exists, a further authorize under its id changes nothing.
    var hasEarlierChange: Bool { earlier.contains { $0.kind != .authorize } }

    var hasAuthorize: Bool { others.contains { $0.kind == .authorize } }

    /// What becomes of the command's own place.
    func registration(for outcome: ClaimOutcome) -> ClaimDecision.Registration {
        switch outcome {
        case .wait: isRegistered ? .unchanged : .add
        case .waitForKey: .unchanged
        // Not stored: another copy of it may still have to be decided.
        case .rejected: isRegistered ? .remove : .unchanged
        case .claimed, .completed, .needsAttention: isKeyRegistered ? .removeAllCopies : .unchanged
        }
    }
}
