"""What a RabbitMQ does in the points in which its versions differ for this product: a line of JSON for the broker at AMQP_URL.

The data directory is not here: scripts/compare-rabbitmq tries that.
"""

import base64
import json
import os
import time
import urllib.parse
import urllib.request

import pika
from pika.exceptions import AMQPConnectionError, AMQPError


def connect():
    parameters = pika.URLParameters(os.environ["AMQP_URL"])
    parameters.socket_timeout = parameters.blocked_connection_timeout = 10
    return pika.BlockingConnection(parameters)


class Case:
    """One connection, and a quorum queue that goes with it."""

    def __init__(self, arguments=None):
        self.connection = connect()
        self.channel = self.connection.channel()
        self.queue = f"compare.{time.time_ns()}"
        self.declare(self.queue, arguments or {})

    def declare(self, name, arguments):
        self.channel.queue_declare(name, durable=True, arguments={"x-queue-type": "quorum", **arguments})

    def publish(self, body, priority=None, exchange="", key=None, headers=None):
        properties = pika.BasicProperties(delivery_mode=2, priority=priority, headers=headers)
        self.channel.basic_publish(exchange, self.queue if key is None else key, body, properties)

    def take(self, queue=None, within=5.0):
        """The next message, or None if there is none in time."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            method, properties, body = self.channel.basic_get(queue or self.queue)
            if method:
                return method, properties, body
            time.sleep(0.02)
        return None

    def __enter__(self):
        self.channel.confirm_delivery()
        return self

    def __exit__(self, *_):
        try:
            self.connection.close()
        except AMQPError:
            pass
        with connect() as connection:
            connection.channel().queue_delete(self.queue)


def priorities():
    """Of ten messages with a high priority behind twenty with a low one: in which order they come."""
    with Case() as case:
        for _ in range(20):
            case.publish(b"l", priority=1)
        for _ in range(10):
            case.publish(b"h", priority=9)
        order = ""
        while len(order) < 15 and (message := case.take()):
            case.channel.basic_ack(message[0].delivery_tag)
            order += message[2].decode()
        return order


def retry_tier():
    """Whether a due message is held back by a younger one of a higher priority, as in a queue with a TTL."""
    with Case() as target:
        arguments = {
            "x-message-ttl": 2000, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": target.queue,
        }
        with Case(arguments) as tier:
            begun = time.monotonic()
            tier.publish(b"old", priority=0)
            time.sleep(1.5)
            tier.publish(b"young", priority=9)
            first = target.take(within=10)
            waited = time.monotonic() - begun
            return f"{first[2].decode()} first, after {waited:.1f} s" if first else "lost"


def delivery_limit(give_back):
    """How often a message with a delivery limit of 3 comes, given back each time."""
    with Case({"x-delivery-limit": 3}) as case:
        case.publish(b"m")
        times = 0
        while times < 10 and (message := case.take(within=1.5)):
            times += 1
            give_back(case.channel, message[0].delivery_tag)
        return "no limit within 10" if times == 10 else times


def default_delivery_limit():
    """The same for a queue that sets none."""
    with Case() as case:
        case.publish(b"m")
        times = 0
        while times < 60 and (message := case.take(within=1.5)):
            times += 1
            case.channel.basic_reject(message[0].delivery_tag, requeue=True)
        return "none within 60" if times == 60 else times


def manage(method, path, body=None):
    """A request to the management API."""
    url = urllib.parse.urlsplit(os.environ["RABBITMQ_MANAGEMENT_URL"])
    credentials = base64.b64encode(f"{url.username}:{url.password}".encode()).decode()
    request = urllib.request.Request(
        f"{url.scheme}://{url.hostname}:{url.port}/api/{path}", None if body is None else json.dumps(body).encode(),
        method=method, headers={"Authorization": f"Basic {credentials}", "Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()


def limit_by_policy():
    """The same where a policy sets a limit that is never reached."""
    policy = {"pattern": "^compare\\.", "apply-to": "queues", "definition": {"delivery-limit": 2_000_000_000}}
    manage("PUT", "policies/%2F/compare", policy)
    result = default_delivery_limit()
    manage("DELETE", "policies/%2F/compare")
    return result


def passive_declaration():
    """Whether a user without any right to a queue may look whether it is there."""
    manage("PUT", "users/compare", {"password": "compare", "tags": ""})
    manage("PUT", "permissions/%2F/compare", {"configure": "^$", "write": "^$", "read": "^$"})
    with Case() as case:
        parameters = pika.URLParameters(os.environ["AMQP_URL"])
        parameters.credentials = pika.PlainCredentials("compare", "compare")
        connection = pika.BlockingConnection(parameters)
        try:
            connection.channel().queue_declare(case.queue, passive=True)
            result = "allowed"
        except AMQPError as error:
            result = f"refused ({error.args[0]})"
        connection.close()
    manage("DELETE", "users/compare")
    return result


def partitions():
    """To which of eight queues a consistent-hash exchange sends twelve payment ids."""
    with Case() as case:
        channel, exchange = case.channel, f"{case.queue}.hash"
        channel.exchange_declare(exchange, "x-consistent-hash", arguments={"hash-header": "payment-id"})
        names = [f"{exchange}.{index}" for index in range(8)]
        for name in names:
            case.declare(name, {})
            channel.queue_bind(name, exchange, routing_key="1")
        order = []
        for number in range(12):
            payment = f"0190a0b0-0000-7000-8000-{number:012d}"
            case.publish(b"m", exchange=exchange, key="", headers={"payment-id": payment})
            found = None
            while found is None:
                for index, name in enumerate(names):
                    if channel.basic_get(name, auto_ack=True)[0]:
                        found = index
                        break
            order.append(found)
        for name in names:
            channel.queue_delete(name)
        channel.exchange_delete(exchange)
        return " ".join(map(str, order))


def global_prefetch():
    """Whether a prefetch for the whole channel is accepted, with a consumer of a quorum queue."""
    with Case() as case:
        try:
            case.channel.basic_qos(prefetch_count=10, global_qos=True)
            case.channel.basic_consume(case.queue, lambda *_: None)
            return "accepted"
        except AMQPError as error:
            return f"refused: {error.args[0] if error.args else error}"


def largest_message():
    """Whether messages of 16 MiB and a bit more are taken."""
    results = []
    for name, size in (("16 MiB", 16 * 2**20), ("17 MiB", 17 * 2**20)):
        with Case() as case:
            try:
                case.publish(bytes(size))
                results.append(f"{name} taken")
            except (AMQPError, AMQPConnectionError) as error:
                results.append(f"{name} refused ({error.args[0] if error.args else error})")
    return ", ".join(results)


def main():
    with connect() as connection:
        properties = connection._impl.server_properties
    report = {
        "version": properties["version"].decode() if isinstance(properties["version"], bytes) else properties["version"],
        "priorities": priorities(),
        "a due message behind a younger one": retry_tier(),
        "deliveries with limit 3, basic.reject": delivery_limit(
            lambda channel, tag: channel.basic_reject(tag, requeue=True)
        ),
        "deliveries with limit 3, basic.nack": delivery_limit(lambda channel, tag: channel.basic_nack(tag, requeue=True)),
        "deliveries without a limit": default_delivery_limit(),
        "the same, policy delivery-limit 2000000000": limit_by_policy(),
        "passive declaration without a right": passive_declaration(),
        "partitions of twelve payments": partitions(),
        "global prefetch": global_prefetch(),
        "size of a message": largest_message(),
    }
    print(json.dumps(report))


main()
