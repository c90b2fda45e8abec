#!/usr/bin/env bash
# RabbitMQ: how long a channel is refused that publishes to a quorum queue while the queue has no leader.
#
# Guess, before it was run: as long as there is no leader. The election takes a moment, and then the channel that was refused (nack) can
# publish like every other.
#
# Seen with RabbitMQ 3.10.8 (Debian 12), a cluster of three nodes. The queue's leader is on node 1. A client of node 2 has a channel that
# has published nothing yet. Node 1 is killed, and no other leader is elected yet (the two other replicas are suspended for a moment,
# which only makes the moment of the election long enough to be hit each time). The channel publishes its first message:
#
#     without a leader, the first message     refused
#     with a leader, another channel          confirmed
#     the same channel, once a second         refused 20 of 20
#     a new channel of the same connection    confirmed
#
# The first message of a channel asks the node that comes first in the queue's record. Where that one is away the message is refused, the
# record is kept, and each later message asks the same node: the channel is refused for as long as the dead node is away, though the queue
# has long had a leader. A client whose connection went down with the node, and that has connected to another one at once, is in that
# moment as a rule; and one that tries again what was refused, on its channel, never gets through. Close the channel and open another.
set -euo pipefail

export nodes=3
# shellcheck source=lib/rabbitmq.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/rabbitmq.sh"

await 2
await 3

"$folder/venv/bin/python" - "$port" "$folder" <<'PY' | tee "$folder/seen"
import os
import signal
import subprocess
import sys
import time

import pika

port, folder = int(sys.argv[1]), sys.argv[2]
control = subprocess.run(
    f"echo {folder}/root/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmqctl", shell=True, capture_output=True, text=True
).stdout.strip()


def connect(node):
    return pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port + 10 * (node - 1), heartbeat=0))


def replica(node, verb):
    command = f"ok = sys:{verb}({{'%2F_q', node()}})."
    subprocess.run([control, "-n", f"finding{port}-{node}@localhost", "eval", command], check=True, capture_output=True)


def opened(connection):
    channel = connection.channel()
    channel.confirm_delivery()
    return channel


def publish(channel):
    try:
        channel.basic_publish("", "q", b"x")
        return "confirmed"
    except pika.exceptions.NackError:
        return "refused"


def note(what, seen):
    print(f"{what:38s}  {seen}", flush=True)


first = connect(1)
first.channel().queue_declare("q", durable=True, arguments={"x-queue-type": "quorum"})
connection, other = connect(2), connect(2)
channel = opened(connection)
for node in (2, 3):
    replica(node, "suspend")
with open(f"{folder}/pid1") as file:
    os.kill(int(file.read()), signal.SIGKILL)
time.sleep(1)
note("without a leader, the first message", publish(channel))
for node in (2, 3):
    replica(node, "resume")
end = time.monotonic() + 60
while publish(probe := opened(other)) != "confirmed" and time.monotonic() < end:
    probe.close()
    time.sleep(0.2)
note("with a leader, another channel", publish(opened(other)))
refused = 0
for _ in range(20):
    refused += publish(channel) == "refused"
    time.sleep(1)
note("the same channel, once a second", f"refused {refused} of 20")
note("a new channel of the same connection", publish(opened(connection)))
PY

diff "$folder/seen" - <<'TXT' && echo "as described"
without a leader, the first message     refused
with a leader, another channel          confirmed
the same channel, once a second         refused 20 of 20
a new channel of the same connection    confirmed
TXT
