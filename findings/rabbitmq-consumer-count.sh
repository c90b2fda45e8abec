#!/usr/bin/env bash
# RabbitMQ: what the number of consumers in queue.declare-ok counts.
#
# Guess, before it was run: those who are subscribed now. It grows with basic.consume, falls with basic.cancel, and is the same for
# every kind of queue.
#
# Seen with RabbitMQ 3.10.8 (Debian 12), two consumers with a prefetch of 1, of which the first holds a message and is then cancelled:
#
#     classic                      two subscribed: 2, one cancelled: 1, its message acknowledged: 1
#     classic, one active          two subscribed: 2, one cancelled: 1, its message acknowledged: 1
#     quorum                       two subscribed: 2, one cancelled: 2, its message acknowledged: 1
#     quorum, one active           two subscribed: 1, one cancelled: 2, its message acknowledged: 1
#
# A quorum queue counts a cancelled consumer for as long as one of its messages is not acknowledged; with a single active consumer
# it leaves out those that wait, so that a cancellation makes the number grow. It matters to whoever decides by this number: an
# alert "nobody consumes" stays silent while a cancelled consumer holds a message, and a count of stand-bys sees none.
set -euo pipefail

# shellcheck source=lib/rabbitmq.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/rabbitmq.sh"

"$folder/venv/bin/python" - "$port" <<'PY' | tee "$folder/seen"
import sys
import time

import pika

parameters = pika.ConnectionParameters("127.0.0.1", int(sys.argv[1]), heartbeat=0)
for _ in range(240):
    try:
        connection = pika.BlockingConnection(parameters)
        break
    except pika.exceptions.AMQPError:
        time.sleep(0.5)
looking = connection.channel()


def count(queue):
    # What was just done has its effect within moments, where it has one.
    last = None
    for _ in range(20):
        connection.process_data_events(0.1)
        last = looking.queue_declare(queue, passive=True).method.consumer_count
    return last


def look(name, arguments):
    channel = connection.channel()
    channel.queue_declare(name, durable=True, arguments=arguments)
    held = []
    channel.basic_qos(prefetch_count=1)
    first = channel.basic_consume(name, lambda ch, method, properties, body: held.append(method.delivery_tag))
    channel.basic_publish("", name, b"one")
    while not held:
        connection.process_data_events(0.1)
    other = connection.channel()
    other.basic_consume(name, lambda *arguments: None)
    both = count(name)
    channel.basic_cancel(first)
    cancelled = count(name)
    channel.basic_ack(held[0])
    acknowledged = count(name)
    print(f"{name:<28} two subscribed: {both}, one cancelled: {cancelled}, its message acknowledged: {acknowledged}")


look("classic", {})
look("classic, one active", {"x-single-active-consumer": True})
look("quorum", {"x-queue-type": "quorum"})
look("quorum, one active", {"x-queue-type": "quorum", "x-single-active-consumer": True})
connection.close()
PY

diff "$folder/seen" - <<'EXPECTED' && echo "as described"
classic                      two subscribed: 2, one cancelled: 1, its message acknowledged: 1
classic, one active          two subscribed: 2, one cancelled: 1, its message acknowledged: 1
quorum                       two subscribed: 2, one cancelled: 2, its message acknowledged: 1
quorum, one active           two subscribed: 1, one cancelled: 2, its message acknowledged: 1
EXPECTED
