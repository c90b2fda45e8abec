"""What the console is to show: payments and dead letters, made as upstream services and the processor make them."""

import json
import os
import subprocess
import time
import urllib.request
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field

from upstream import CARD, Upstream

BANK = os.environ["BANK_URL"]
# As the dead letters of one cause say it.
REFUSED = "store refused (42501 insufficient_privilege)"
# Operations in manual review, by how it is with them at the bank (bank.py).
REVIEWS = {
    "review": "executed", "waiting": "executed", "replayed": "executed", "discarded": "executed",
    "lost": "forgotten", "failed": "refused",
}


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

    def open(self, code):
        """How many dead letters with this code are left to do."""
        return int(self(f"SELECT count(*) FROM dead_letters WHERE state = 'open' AND code = '{code}'"))

    @contextmanager
    def locked(self, selection):
        """Nobody else writes this row meanwhile."""
        command = ["psql", self.url, "-XqAt", "-v", "ON_ERROR_STOP=1"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as session:
            print(f"BEGIN; {selection} FOR UPDATE;", file=session.stdin, flush=True)
            assert session.stdout.readline().strip(), "there is no such row"
            yield
            # With its input the transaction ends.
            session.stdin.close()


@dataclass
class World:
    upstream: Upstream
    database: Database
    # Payments by what they are for.
    ids: dict = field(default_factory=dict)
    # A replay that runs, from one step to the next.
    running: str = ""
    # Work of the console that was started.
    work: str = ""

    def operation(self, name, kind="capture"):
        """The state of an operation of a payment."""
        return self.database(f"SELECT state FROM operations WHERE payment_id = '{self.ids[name]}' AND kind = '{kind}'")


def bank(path, order=None):
    """Asks what stands between the processor and the bank."""
    body = None if order is None else json.dumps(order).encode()
    with urllib.request.urlopen(urllib.request.Request(BANK + path, body)) as answer:
        return json.loads(answer.read())


def set_up(url, database):
    """What a person finds in the morning."""
    world = World(Upstream(url), database)
    names = ["captured", "refunded", "voided", "declined", "alone", "deferred", *(name for name in REVIEWS if name != "lost")]
    upstream, ids = world.upstream, world.ids
    ids |= {name: str(uuid.uuid4()) for name in names}
    upstream.wait([
        upstream.authorize(payment, f"order-{name}", f"customer-{name}", 10_000_000_000 if name == "declined" else 5000)
        for name, payment in ids.items()
    ])
    upstream.wait([upstream.send("capture", ids[name], {}) for name in ("captured", "refunded")])
    upstream.wait([upstream.send("void", ids["voided"], {}), upstream.send("refund", ids["refunded"], {})])
    # The bank fails as often as a command is sent at once: it comes to a retry tier, and is done afterwards.
    bank("/twist", {"path": "captures", "times": 4, "how": "unavailable"})
    upstream.wait([upstream.send("capture", ids["deferred"], {})])
    ids["lost"] = str(uuid.uuid4())
    for name, how in REVIEWS.items():
        kind = "authorizations" if name == "lost" else "captures"
        bank("/twist", {"path": kind, "times": 1, "how": how})
        upstream.wait([
            upstream.authorize(ids[name], "order-lost", "customer-lost") if name == "lost"
            else upstream.send("capture", ids[name], {})
        ])
    eventually("all are in review, with their dead letters", lambda: database.open("needs_attention") == len(REVIEWS))
    return world


def break_many(world):
    """Five hundred captures that failed because the database refused them for a while, and could succeed now; and some of others."""
    upstream = world.upstream
    payments = [str(uuid.uuid4()) for _ in range(500)]
    upstream.wait([
        upstream.authorize(payment, f"bulk-{number}", "customer-bulk", 1995) for number, payment in enumerate(payments)
    ])
    for payment in payments:
        upstream.fail("capture", payment, "store_refused", REFUSED)
    # An upstream of another team has forgotten the type.
    for _ in range(90):
        upstream.fail("capture", str(uuid.uuid4()), "invalid_command", "type: is missing")
    # One cannot be sent again: its card was not sealed, so it is not kept.
    body = {"order_id": "order-card", "customer_id": "c", "amount": 5000, "currency": "USD", "card": CARD}
    upstream.fail("authorize", str(uuid.uuid4()), "store_unreadable", "the row cannot be read", json.dumps(body).encode())
    upstream.fail("capture", payments[0], "store_unreadable", "the row cannot be read")
    total = len(REVIEWS) + 500 + 90 + 2
    eventually(
        "all dead letters are in the database",
        lambda: world.database("SELECT count(*) FROM dead_letters WHERE state = 'open'") == str(total),
    )


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
