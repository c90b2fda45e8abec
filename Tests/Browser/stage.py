"""What the console is to show: payments and dead letters, made as upstream services and the processor make them."""

import json
import os
import subprocess
import time
import urllib.request
import uuid

import pika

PREFIX = os.environ.get("AMQP_PREFIX", "payments")
CARD = {"number": "4111111111111111", "cvv": "123", "expiry_month": 12, "expiry_year": 2030}


def eventually(what, condition, seconds=60):
    """Waits until it is so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


class Database:
    """Answers of psql, as text."""

    def __init__(self, url):
        self.url = url

    def __call__(self, statement):
        done = subprocess.run(
            ["psql", self.url, "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", statement], capture_output=True, text=True
        )
        if done.returncode:
            raise AssertionError(done.stderr)
        return done.stdout.strip()


class Upstream:
    """A service that sends commands and waits for the replies."""

    def __init__(self, url):
        self.connection = pika.BlockingConnection(pika.URLParameters(url))
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()
        self.replies = f"replies.{uuid.uuid4()}"
        self.channel.queue_declare(self.replies, exclusive=True)

    def properties(self, operation, payment, **headers):
        key = headers.pop("key", f"{operation}-{payment}")
        trace = f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01"
        return pika.BasicProperties(
            type=f"payment.{operation}.v1", message_id=f"m-{operation}-{payment}", content_type="application/json",
            delivery_mode=2, reply_to=self.replies,
            headers={"payment-id": payment, "idempotency-key": key, "traceparent": trace} | headers,
        )

    def send(self, operation, payment, body):
        self.channel.basic_publish(
            f"{PREFIX}.commands", "", json.dumps(body).encode(), self.properties(operation, payment)
        )

    def authorize(self, payment, order, customer="customer-1", amount=5000):
        body = {"order_id": order, "customer_id": customer, "amount": amount, "currency": "USD", "card": CARD}
        self.send("authorize", payment, body)

    def wait(self, count):
        """For so many replies."""
        left = count
        for method, _, body in self.channel.consume(self.replies, inactivity_timeout=60):
            if method is None:
                raise AssertionError(f"{left} of {count} replies did not come")
            self.channel.basic_ack(method.delivery_tag)
            left -= 1
            if not left:
                self.channel.cancel()
                return json.loads(body)

    def fail(self, operation, payment, code, message, body=b"{}"):
        """A dead letter, as a processor publishes it that could not deal with the command."""
        properties = self.properties(operation, payment, **{"error-code": code, "error-message": message})
        self.channel.basic_publish(f"{PREFIX}.dead-letters", "dead", body, properties)


def set_up(url, database, bank):
    """What a person finds in the morning. Returns the ids that matter."""
    upstream = Upstream(url)
    ids = {name: str(uuid.uuid4()) for name in ("captured", "refunded", "voided", "declined", "alone", "review", "failed")}
    for name, payment in ids.items():
        amount = 5000 if name != "declined" else 10_000_000_000
        upstream.authorize(payment, f"order-{name}", f"customer-{name}", amount)
    upstream.wait(len(ids))
    for name in ("captured", "refunded"):
        upstream.send("capture", ids[name], {})
    upstream.send("void", ids["voided"], {})
    upstream.wait(3)
    upstream.send("refund", ids["refunded"], {})
    upstream.wait(1)
    twist = urllib.request.Request(f"{bank}/twist", json.dumps({"captures": 2}).encode(), method="POST")
    urllib.request.urlopen(twist).close()
    for name in ("review", "failed"):
        upstream.send("capture", ids[name], {})
    upstream.wait(2)
    eventually(
        "two captures are in review, with their dead letters",
        lambda: database("SELECT count(*) FROM dead_letters WHERE code = 'needs_attention' AND state = 'open'") == "2",
    )
    return upstream, ids


def five_hundred_of_one_cause(upstream, database):
    """Captures that failed because the database refused them for a while, and could succeed now."""
    payments = [str(uuid.uuid4()) for _ in range(500)]
    for number, payment in enumerate(payments):
        upstream.authorize(payment, f"bulk-{number}", "customer-bulk", 1995)
    upstream.wait(len(payments))
    for payment in payments:
        upstream.fail("capture", payment, "store_refused", "store refused (42501 insufficient_privilege)")
    # An upstream of another team has forgotten the type.
    for _ in range(40):
        payment = str(uuid.uuid4())
        upstream.fail("capture", payment, "invalid_command", "type: is missing")
    eventually(
        "all dead letters are in the database",
        lambda: database("SELECT count(*) FROM dead_letters WHERE state = 'open'") == "542",
    )
    return payments


def many(database, count):
    """For measuring: so many dead letters more."""
    database(f"""
        INSERT INTO dead_letters (id, instance, code, message, source, dead_lettered_at, ingested_at, operation, payment_id,
            merchant_id, idempotency_key, replayable, type, content_type, message_id, headers, body, state)
        SELECT gen_random_uuid(), sha256(n::text::bytea), (ARRAY['store_refused', 'unrouted', 'delivery_limit'])[1 + n % 3],
            'cause ' || n % 40, 'processor', now() - n * interval '7 seconds', now(), 'capture', gen_random_uuid(),
            'default', 'many-' || n, true, 'payment.capture.v1', 'application/json', 'many-' || n, '{{}}', '{{}}', 'open'
        FROM generate_series(1, {count}) AS n;
        ANALYZE dead_letters;""")
