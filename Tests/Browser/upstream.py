"""A service that sends commands and gets the replies, and the broken messages of others."""

import json
import os
import uuid
from collections import defaultdict

import pika

PREFIX = os.environ.get("AMQP_PREFIX", "payments")
CARD = {"number": "4111111111111111", "cvv": "123", "expiry_month": 12, "expiry_year": 2030}


class Upstream:
    def __init__(self, url):
        parameters = pika.URLParameters(url)
        # Nobody reads from it during a step, however long that takes.
        parameters.heartbeat = 0
        self.connection = pika.BlockingConnection(parameters)
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()
        self.queue = f"replies.{uuid.uuid4()}"
        self.channel.queue_declare(self.queue, exclusive=True)
        # What was replied, by the key of the command.
        self.replies = defaultdict(list)

    def properties(self, operation, payment, **headers):
        key = headers.pop("key", f"{operation}-{payment}")
        trace = f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01"
        return pika.BasicProperties(
            type=f"payment.{operation}.v1", message_id=f"m-{operation}-{payment}", content_type="application/json",
            delivery_mode=2, reply_to=self.queue,
            headers={"payment-id": payment, "idempotency-key": key, "traceparent": trace} | headers,
        )

    def send(self, operation, payment, body):
        """Returns the key, to wait for."""
        properties = self.properties(operation, payment)
        self.channel.basic_publish(f"{PREFIX}.commands", "", json.dumps(body).encode(), properties)
        return properties.headers["idempotency-key"]

    def authorize(self, payment, order, customer="customer-1", amount=5000):
        body = {"order_id": order, "customer_id": customer, "amount": amount, "currency": "USD", "card": CARD}
        return self.send("authorize", payment, body)

    def wait(self, keys, number=1):
        """For so many replies to the commands under each of the keys. Returns the last one."""
        missing = {key for key in keys if len(self.replies[key]) < number}
        if missing:
            for method, properties, body in self.channel.consume(self.queue, inactivity_timeout=60):
                if method is None:
                    raise AssertionError(f"{len(missing)} replies did not come")
                self.channel.basic_ack(method.delivery_tag)
                key = properties.headers["idempotency-key"]
                self.replies[key].append(json.loads(body))
                if len(self.replies[key]) >= number:
                    missing.discard(key)
                if not missing:
                    break
            self.channel.cancel()
        return self.replies[keys[-1]][-1]

    def fail(self, operation, payment, code, message, body=b"{}"):
        """A dead letter, as a processor publishes it that could not deal with the command."""
        properties = self.properties(operation, payment, **{"error-code": code, "error-message": message})
        self.channel.basic_publish(f"{PREFIX}.dead-letters", "dead", body, properties)
