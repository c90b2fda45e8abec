#!/usr/bin/env bash
# RabbitMQ: where a quorum queue puts a message that comes back twice.
#
# Guess, before it was run: what a consumer leaves unacknowledged goes back to its place, in front of all that was published after it,
# however often that happens. The documentation says "to its original position, if possible".
#
# Seen with RabbitMQ 3.10.8 (Debian 12). 1 to 5 are published. A consumer with a prefetch of 10 gets all of them and closes its channel; one
# with a prefetch of 1 gets the first and closes its channel; the next one gets them in this order:
#
#     classic                      1 2 3 4 5
#     quorum                       2 3 4 5 1
#     quorum, one active           2 3 4 5 1
#     quorum, a prefetch of 10     1 2 3 4 5
#
# A quorum queue keeps what has come back in a queue of its own, first in, first out. So a consumer that has room for only a part of it
# and then ends puts that part behind the rest. Only consumers with at least as much room as any before them keep the order (the last
# line: the second consumer has a prefetch of 10, too). It matters to whoever subscribes with a small prefetch for a while, to probe or to
# throttle, and relies on the order of the queue.
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


def take(queue, prefetch, wanted):
    channel = connection.channel()
    channel.basic_qos(prefetch_count=prefetch)
    bodies = []
    channel.basic_consume(queue, lambda ch, method, properties, body: bodies.append(body.decode()))
    while len(bodies) < wanted:
        connection.process_data_events(0.1)
    channel.close()
    return bodies


def look(name, arguments, second):
    queue = name.replace(" ", "-")
    looking.queue_declare(queue, durable=True, arguments=arguments)
    looking.confirm_delivery()
    for number in range(1, 6):
        looking.basic_publish("", queue, str(number).encode())
    take(queue, 10, 5)
    take(queue, second, min(second, 5))
    print(f"{name:28s} {' '.join(take(queue, 10, 5))}", flush=True)


quorum = {"x-queue-type": "quorum"}
look("classic", {}, 1)
look("quorum", quorum, 1)
look("quorum, one active", quorum | {"x-single-active-consumer": True}, 1)
look("quorum, a prefetch of 10", quorum, 10)
PY

diff "$folder/seen" - <<'TXT' && echo "as described"
classic                      1 2 3 4 5
quorum                       2 3 4 5 1
quorum, one active           2 3 4 5 1
quorum, a prefetch of 10     1 2 3 4 5
TXT
