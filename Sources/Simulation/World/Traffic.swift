package import Core
import Synchronization

/// What the upstream services send in a seed: a mix on few hot payments.
struct Traffic {
    private(set) var intents: [(at: Duration, intent: Intent)] = []
    private(set) var duplicates = 0
    private let random: SeededRandom
    private let horizon: Duration
    private let start: Timestamp
    private var lastID = 0

    /// The reply queues that clients name; the last one never exists.
    static let replyQueues = ["replies.client-1", "replies.client-2"]
    static let missingReplyQueue = "replies.nobody"

    init(using random: SeededRandom, horizon: Duration, start: Timestamp) {
        self.random = random
        self.horizon = horizon
        self.start = start
        for number in 0..<random.number(in: 1...10) { plan(Account(number, random)) }
        for _ in 0..<random.number(in: 0...2) { poison() }
    }

    /// A payment as its upstream service sees it.
    private struct Account {
        let number: Int
        let payment: String
        let merchant: String
        let amount: Int
        let card: String

        init(_ number: Int, _ random: SeededRandom) {
            self.number = number
            payment = UniqueID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0000 + UInt64(number)).description
            merchant = random.happens(0.2) ? "shop-2" : "default"
            amount = random.number(in: 10...300) * 100
            card = random.one(ofWeighted: Self.cards)
        }

        private static let cards: [(weight: Int, choice: String)] = [
            (16, card("4111111111111111", "123", 12, 2030)), (3, card("4242424242424242", "456", 6, 2030)),
            (1, card("5555555555554444", "789", 9, 2030)), (1, card("5105105105105100", "321", 3, 2020)),
            (1, card("4111111111111111", "999", 12, 2030)),
        ]

        private static func card(_ number: String, _ cvv: String, _ month: Int, _ year: Int) -> String {
            #"{"number":"\#(number)","cvv":"\#(cvv)","expiry_month":\#(month),"expiry_year":\#(year)}"#
        }
    }

    private static let scripts: [(weight: Int, choice: [[OperationKind]])] = [
        (2, [[.authorize]]), (4, [[.authorize], [.capture]]), (3, [[.authorize], [.void]]),
        (4, [[.authorize], [.capture], [.refund]]), (4, [[.authorize], [.capture, .void]]),
        (2, [[.authorize], [.capture, .capture]]), (2, [[.authorize], [.capture], [.refund, .refund]]),
        (3, [[.authorize, .capture, .refund]]), (2, [[.authorize], [.capture, .refund]]),
        (2, [[.authorize, .capture], [.refund]]), (1, [[.authorize], [.void], [.capture]]),
        (1, [[.authorize, .authorize], [.capture]]), (1, [[.capture], [.authorize], [.capture]]),
        (1, [[.authorize], [.capture], [.void], [.refund], [.capture]]),
        (1, [[.authorize], [.void, .void], [.refund]]),
    ]

    /// Groups of commands, each group at about the same time.
    private mutating func plan(_ account: Account) {
        var at = random.duration(in: .zero...horizon / 2)
        var count = 0
        for group in random.one(ofWeighted: Self.scripts) {
            for kind in group {
                count += 1
                add(kind, account, key: "\(kind)-\(account.number)-\(count)", at: at)
                at += random.happens(0.7) ? .zero : random.duration(in: .zero...(.milliseconds(200)))
            }
            at += random.one(of: [.zero, .milliseconds(30), .seconds(1), .seconds(10), .seconds(40)])
        }
    }

    private mutating func add(_ kind: OperationKind, _ account: Account, key: String, at: Duration) {
        let first = intent(kind, account, key: key, at: at)
        intents.append((at, first))
        for _ in 0..<random.one(of: [0, 0, 0, 1, 1, 2, 4]) {
            duplicates += 1
            let later =
                at
                + random.one(of: [
                    .zero, random.duration(in: .zero...(.seconds(1))), random.duration(in: .zero...horizon),
                ])
            intents.append((min(later, horizon), intent(kind, account, key: key, at: at)))
        }
        guard random.happens(0.15) else { return }
        // The key once more, for something else.
        let later = at + random.one(of: [.zero, .seconds(3), .seconds(60)])
        let reuse =
            random.happens(0.5)
            ? intent(kind, account, key: key, at: later, variant: "reused")
            : intent(random.one(of: OperationKind.allCases), account, key: key, at: later)
        intents.append((min(later, horizon), reuse))
    }

    private mutating func intent(
        _ kind: OperationKind,
        _ account: Account,
        key: String,
        at: Duration,
        variant: String = "same"
    ) -> Intent {
        lastID += 1
        let (body, meaning) = body(kind, account, variant)
        var message = Message(
            type: kind.commandType,
            contentType: "application/json",
            messageID: "m-\(lastID)",
            // Some clients use bytes that are no text.
            correlationID: lastID.isMultiple(of: 5)
                ? CorrelationID(bytes: [0xff] + Array("m-\(lastID)".utf8)) : CorrelationID("m-\(lastID)"),
            replyTo: replyTo(),
            headers: [HeaderName.paymentID: .string(account.payment), HeaderName.idempotencyKey: .string(key)],
            body: Array(body.utf8)
        )
        // Now and then somebody else asks about this payment.
        let merchant = random.happens(0.03) ? "stranger" : account.merchant
        if merchant != "default" { message.headers[HeaderName.merchantID] = .string(merchant) }
        if random.happens(0.08) {
            let deadline = start.advanced(by: at + .seconds(random.number(in: -5...60)))
            message.headers[HeaderName.deadline] = .string(deadline.description)
        }
        // While nobody takes it, it expires.
        if lastID % 9 == 4 { message.headers[SimulatedBroker.expiration] = .integer(3_000) }
        return Intent(
            sort: .command,
            payment: account.payment,
            merchant: merchant,
            key: key,
            meaning: "\(kind) \(account.payment) \(meaning)",
            message: message
        )
    }

    private func body(_ kind: OperationKind, _ account: Account, _ variant: String) -> (body: String, meaning: String) {
        switch kind {
        case .authorize:
            let body =
                #"{"order_id":"order-\#(variant)","customer_id":"c","amount":\#(account.amount),"#
                + #""currency":"USD","card":\#(account.card)}"#
            return (body, variant)
        case .capture, .refund:
            if variant != "same" || random.happens(0.02) { return (#"{"amount":1}"#, "1") }
            return (random.happens(0.5) ? #"{"amount":\#(account.amount)}"# : "{}", "whole")
        case .void: return ("{}", "whole")
        }
    }

    private func replyTo() -> String? {
        switch random.number(in: 0...19) {
        case 0: Self.missingReplyQueue
        case 1: "payments.commands.0"
        case 2...8: random.one(of: Self.replyQueues)
        default: nil
        }
    }

    private mutating func poison() {
        let at = random.duration(in: .zero...horizon)
        let account = Account(random.number(in: 0...4), random)
        let command = intent(.authorize, account, key: "poison-\(lastID)", at: at)
        var message = command.message
        var sort = Intent.Sort.unanswerable
        switch random.number(in: 0...4) {
        case 0: message.type = "payment.steal.v1"
        case 1: message.headers[HeaderName.idempotencyKey] = nil
        case 2:
            message.body = Array("{\"amount\":".utf8)
            sort = .invalid
        case 3:
            message.headers[HeaderName.paymentID] = .integer(7)
            sort = .invalid
        default:
            message.type = nil
            message.body = []
        }
        let intent = Intent(
            sort: sort,
            payment: account.payment,
            merchant: command.merchant,
            key: command.key,
            meaning: "poison",
            message: message
        )
        intents.append((at, intent))
    }
}

/// A message that an upstream service wants to be done, once; it may have to send it more often.
package struct Intent: Sendable {
    package enum Sort: Sendable {
        case command
        /// Gets a reply that says so.
        case invalid
        /// Goes to the dead letters.
        case unanswerable
    }

    package let sort: Sort
    package let payment: String
    package let merchant: String
    package let key: String
    /// Equal for equal commands, as the fingerprint sees them.
    package let meaning: String
    /// Its correlation id and message id are its own, and are kept when it is sent again.
    package let message: Message

    package var id: String { message.correlationID?.description ?? "" }

    /// The same, asked once more by another message, which reads its reply for sure.
    func again(_ id: String) -> Intent {
        var message = message
        message.messageID = id
        message.correlationID = CorrelationID(id)
        message.replyTo = nil
        message.headers[HeaderName.deadline] = nil
        message.headers[SimulatedBroker.expiration] = nil
        return Intent(sort: sort, payment: payment, merchant: merchant, key: key, meaning: meaning, message: message)
    }
}

/// The services that send commands, each until its command is confirmed or it gives up.
final class Upstream: Sendable {
    private struct State {
        var sent: [Intent] = []
        var confirmed: Set<String> = []
        var undecided = 0
    }

    private let broker: SimulatedBroker
    private let time: VirtualTime
    private let schedule: FaultSchedule
    private let random: SeededRandom
    private let state = Mutex(State())

    init(broker: SimulatedBroker, time: VirtualTime, schedule: FaultSchedule, random: SeededRandom) {
        self.broker = broker
        self.time = time
        self.schedule = schedule
        self.random = random
    }

    var sent: [Intent] { state.withLock { $0.sent } }
    var confirmed: Set<String> { state.withLock { $0.confirmed } }

    /// Nobody is still trying.
    var isQuiet: Bool { state.withLock { $0.undecided == 0 } }

    func send(_ intent: Intent, after delay: Duration) {
        state.withLock { state in
            state.sent.append(intent)
            state.undecided += 1
        }
        time.schedule(after: delay) { self.attempt(intent) }
    }

    private func attempt(_ intent: Intent) {
        let isTroubled = schedule.plan.map { random.happens($0.publisherTrouble) } ?? false
        if isTroubled {
            // Lost on the way there, or the confirm on the way back.
            if random.happens(0.5) { _ = publish(intent) }
            if random.happens(0.2) { return state.withLock { $0.undecided -= 1 } }
        } else if publish(intent) == .confirmed {
            return state.withLock { state in
                state.confirmed.insert(intent.id)
                state.undecided -= 1
            }
        }
        time.schedule(after: random.duration(in: .milliseconds(200)...(.seconds(3)))) { self.attempt(intent) }
    }

    private func publish(_ intent: Intent) -> PublishOutcome? {
        broker.publish(intent.message, exchange: broker.names.commandsExchange, routingKey: "")
    }
}
