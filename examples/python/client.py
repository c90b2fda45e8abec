"""Pays with a card over RabbitMQ, as docs/contract.md describes it. Needs pika and jwcrypto. AMQP_URL names the broker, CARD_KEYS the
public keys of the processor: a file, or an address; its own is http://127.0.0.1:9090/.well-known/jwks.json."""

import json
import os
import sys
import urllib.request
import uuid

import pika
from jwcrypto import jwe, jwk

PREFIX = os.environ.get("AMQP_PREFIX", "payments")


def card_key(source):
    """The current one: the first of the set. Fetch it again now and then: keys change."""
    if source.startswith(("https://", "http://127.0.0.1:")):
        with urllib.request.urlopen(source, timeout=30) as answer:
            keys = json.load(answer)
    else:
        with open(source, encoding="utf-8") as file:
            keys = json.load(file)
    return jwk.JWK(**keys["keys"][0])


def seal(card, payment, key):
    """The card, as an authorize carries it: nobody but the processor can read it, and only for this payment."""
    algorithm = "RSA-OAEP-256" if key["kty"] == "RSA" else "ECDH-ES"
    header = {"alg": algorithm, "enc": "A256GCM", "kid": key["kid"]}
    content = json.dumps({"card": card, "payment_id": payment})
    return {"sealed_card": jwe.JWE(content.encode(), json.dumps(header), recipient=key).serialize(compact=True)}


def command(operation, payment, body):
    """Everything that says which command it is. Keep it until its final reply: sent again, it takes effect once."""
    return {
        "type": f"payment.{operation}.v1", "message_id": str(uuid.uuid4()), "body": json.dumps(body).encode(),
        "headers": {"payment-id": payment, "idempotency-key": f"{payment}-{operation}"},
    }


class Client:
    def __init__(self, url):
        self.connection = pika.BlockingConnection(pika.URLParameters(url))
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()
        self.replies = f"replies.{uuid.uuid4()}"
        self.channel.queue_declare(self.replies, exclusive=True)
        self.events = f"replies.{uuid.uuid4()}.events"
        self.channel.queue_declare(self.events, exclusive=True)
        self.channel.queue_bind(self.events, f"{PREFIX}.events", "payment.#")

    def send(self, command):
        """Returns when the broker has confirmed it, or raises: then nobody knows, and it is sent again."""
        properties = pika.BasicProperties(
            type=command["type"], message_id=command["message_id"], headers=command["headers"],
            content_type="application/json", delivery_mode=2, reply_to=self.replies,
        )
        self.channel.basic_publish(f"{PREFIX}.commands", "", command["body"], properties)

    def take(self, queue, wanted):
        for method, properties, body in self.channel.consume(queue, inactivity_timeout=60):
            if method is None:
                raise TimeoutError(f"nothing came to {queue}")
            self.channel.basic_ack(method.delivery_tag)
            message = json.loads(body)
            if wanted(properties, message):
                self.channel.cancel()
                return message

    def ask(self, command):
        self.send(command)
        return self.take(self.replies, lambda properties, reply: (
            properties.correlation_id == command["message_id"] and reply["final"]))


def main(url, key):
    payment = str(uuid.uuid4())
    card = {"number": "4111111111111111", "cvv": "123", "expiry_month": 12, "expiry_year": 2030}
    order = {"order_id": "order-1", "customer_id": "customer-1", "amount": 5000, "currency": "USD"}
    authorize = command("authorize", payment, order | seal(card, payment, key))

    # The broker has it. Then this process dies, and its reply queue with it.
    client = Client(url)
    client.send(authorize)
    client.connection.close()

    # The same command, under the same key: the outcome of the first, and no second payment.
    client = Client(url)
    print("authorize", client.ask(authorize)["outcome"])
    reply = client.ask(command("capture", payment, {}))
    event = client.take(client.events, lambda _, event: event["payment_id"] == payment and event["event"] == "captured")
    print("capture", reply["outcome"], event["occurred_at"])
    client.connection.close()
    return 0 if reply["payment"]["status"] == event["payment"]["status"] == "CAPTURED" else 1


if __name__ == "__main__":
    sys.exit(main(os.environ["AMQP_URL"], card_key(os.environ["CARD_KEYS"])))
