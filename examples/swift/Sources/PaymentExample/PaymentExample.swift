// Pays with a card over RabbitMQ, by the library PaymentCommands. AMQP_URL names the broker, CARD_KEYS the public keys of the processor:
// a file, or an address; its own is http://127.0.0.1:9090/.well-known/jwks.json.

import Foundation
import PaymentCommands

@main
enum PaymentExample {
    static func main() async {
        do {
            try await pay()
        } catch {
            print("failed: \(error)")
            exit(1)
        }
    }

    private static func pay() async throws(PaymentClientError) {
        let configuration = try PaymentClientConfiguration(
            url: variable("AMQP_URL") ?? "amqp://127.0.0.1",
            prefix: variable("AMQP_PREFIX") ?? "payments"
        )
        // The current one. Load it again now and then: keys change.
        let key = try await CardSealingKey.load(
            from: variable("CARD_KEYS") ?? "http://127.0.0.1:9090/.well-known/jwks.json"
        )
        // Keep it until its final reply: sent again, it takes effect once.
        let authorize = try PaymentCommand.authorize(
            amount: 5000,
            orderID: "order-1",
            customerID: "customer-1",
            card: PaymentCard(number: "4111111111111111", cvv: "123", expiryMonth: 12, expiryYear: 2030),
            sealedFor: key
        )

        // The broker has it. Then this process dies, and its reply queue with it.
        let first = try await PaymentClient.connect(configuration)
        _ = try await first.send(authorize)
        await first.close()

        // The same command, under the same key: the outcome of the first, and no second payment.
        let client = try await PaymentClient.connect(configuration)
        let events = try await client.events([.captured])
        print("authorize", try await client.ask(authorize).outcome)
        let capture = try PaymentCommand.capture(paymentID: authorize.paymentID)
        let reply = try await client.send(capture).value(within: .seconds(60))
        print("capture", reply.outcome, reply.problem?.description ?? "")
        for try await event in events where event.paymentID == authorize.paymentID {
            print("captured at", event.occurredAt)
            break
        }
        await client.close()
        guard reply.outcome == .succeeded, reply.payment?.status == "CAPTURED" else { exit(1) }
    }

    private static func variable(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }
}
