#!/usr/bin/env bash
# RabbitMQ: what becomes of messages that a shovel does not get rid of.
#
# Guess, before a shovel was first refused something: they stay where they are until it gets rid of them. With "ack-mode": "on-confirm" (the
# default) a message is acknowledged at the source when the target has confirmed it; the documentation says that nothing is lost.
#
# Seen with RabbitMQ 3.10.8 (Debian 12). 1 to 10 are in a quorum queue, and the target refuses 5: its user_id is not the shovel's user. (A
# message that is too large for the target, or an exchange that the shovel's user may not write to, ends its channel likewise.) The shovel
# starts again a second later, and so on; at last:
#
#     x-delivery-limit 20, source           nothing
#     x-delivery-limit 20, target           1 2 3 4, each 21 times
#     no limit, source                      5 6 7 8 9 10
#     no limit, target                      1 2 3 4, again and again
#
# What the target refuses ends the channel, and the shovel with it; everything that it had read and not got a confirm for goes back, and
# each time counts as a delivery. With the limit reached, the queue drops all of it: not only the message that is refused, but up to 1000
# behind it (src-prefetch-count) that nobody ever tried to publish. Then the shovel is "running", and has nothing to do. What is before it
# arrives again each time. RabbitMQ 4 gives every quorum queue a limit of 20 that has none, and a shovel starts again after five seconds:
# 4.3.6 lost all of them after 100 seconds, with nothing set by anybody. So look at `rabbitmqctl shovel_status` as soon as a shovel is
# made, give its user the tag `impersonator`, and give it a "reconnect-delay" that leaves time to notice.
set -euo pipefail

export plugins=rabbitmq_shovel
# shellcheck source=lib/rabbitmq.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/rabbitmq.sh"

await 1
control 1 --quiet add_user mover mover
control 1 --quiet set_permissions mover '.*' '.*' '.*'

"$folder/venv/bin/python" - "$port" "$folder" <<'PY' | tee "$folder/seen"
import json
import subprocess
import sys
import time

import pika

port, folder = int(sys.argv[1]), sys.argv[2]
control = subprocess.run(
    f"echo {folder}/root/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmqctl", shell=True, capture_output=True, text=True
).stdout.strip()
channel = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port, heartbeat=0)).channel()
channel.confirm_delivery()


def rabbitmqctl(*arguments):
    subprocess.run([control, "-n", f"finding{port}-1@localhost", *arguments], check=True, capture_output=True)


def prepare(name, arguments):
    for queue, more in ((name, arguments), (f"{name}-target", {})):
        channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"} | more)
    for number in range(1, 11):
        properties = pika.BasicProperties(delivery_mode=2, user_id="guest" if number == 5 else None)
        channel.basic_publish("", name, str(number).encode(), properties)
    uri = f"amqp://mover:mover@127.0.0.1:{port}"
    protocols = {"src-protocol": "amqp091", "dest-protocol": "amqp091", "reconnect-delay": 1}
    shovel = protocols | {"src-uri": uri, "dest-uri": uri, "src-queue": name, "dest-queue": f"{name}-target"}
    rabbitmqctl("set_parameter", "shovel", name, json.dumps(shovel))


def drain(queue):
    bodies = []
    for method, _, body in channel.consume(queue, inactivity_timeout=2):
        if method is None:
            break
        bodies.append(int(body))
        channel.basic_ack(method.delivery_tag)
    channel.cancel()
    return bodies


def note(what, seen):
    print(f"{what:36s}  {seen}", flush=True)


def distinct(numbers):
    return " ".join(map(str, sorted(set(numbers)))) or "nothing"


prepare("limited", {"x-delivery-limit": 20})
prepare("unlimited", {})
end = time.monotonic() + 180
while channel.queue_declare("unlimited-target", passive=True).method.message_count < 4 * 25 and time.monotonic() < end:
    time.sleep(0.5)
for name in ("limited", "unlimited"):
    rabbitmqctl("clear_parameter", "shovel", name)
source, target = drain("limited"), drain("limited-target")
note("x-delivery-limit 20, source", distinct(source))
note("x-delivery-limit 20, target", f"{distinct(target)}, each {target.count(1)} times")
source, target = drain("unlimited"), drain("unlimited-target")
note("no limit, source", distinct(number for number in source if number > 4))
note("no limit, target", f"{distinct(target)}, {'again and again' if target.count(1) > 21 else target.count(1)}")
PY

diff "$folder/seen" - <<'TXT' && echo "as described"
x-delivery-limit 20, source           nothing
x-delivery-limit 20, target           1 2 3 4, each 21 times
no limit, source                      5 6 7 8 9 10
no limit, target                      1 2 3 4, again and again
TXT
