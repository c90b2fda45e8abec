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

folder=$(mktemp -d)
server=
stop() {
    [[ -z $server ]] || kill -TERM "$server" 2>/dev/null || true
    [[ -z $server ]] || wait "$server" 2>/dev/null || true
    [[ -z $server ]] || epmd -kill >/dev/null || true
    rm -rf "$folder"
}
trap stop EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pika==1.3.2
mkdir "$folder/packages" "$folder/root" "$folder/data"
readonly otp=1:25.2.3+dfsg-1+deb12u4
packages=(rabbitmq-server=3.10.8-1.1+deb12u1)
for part in base asn1 crypto eldap ftp inets mnesia os-mon parsetools public-key runtime-tools snmp ssl syntax-tools tftp \
    tools xmerl; do
    packages+=("erlang-$part=$otp")
done
(cd "$folder/packages" && apt-get download -qq "${packages[@]}" 2>/dev/null)
for package in "$folder"/packages/*.deb; do dpkg-deb --extract "$package" "$folder/root"; done

port=$((20000 + RANDOM % 5000))
# Debian's scripts of Erlang know one folder only.
erlang=$folder/root/usr/lib/erlang
sed -i "s|ROOTDIR=/usr/lib/erlang|ROOTDIR=$erlang|" "$erlang/bin/erl" "$erlang"/erts-*/bin/erl
programs=$(echo "$erlang"/erts-*/bin)
export PATH=$erlang/bin:$programs:$PATH
export HOME=$folder ERL_EPMD_PORT=$((port + 1))
env RABBITMQ_NODENAME="order$port@localhost" RABBITMQ_NODE_PORT=$port RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 \
    RABBITMQ_DIST_PORT=$((port + 2)) RABBITMQ_MNESIA_BASE="$folder/data" RABBITMQ_LOG_BASE="$folder/data" \
    RABBITMQ_LOGS=- RABBITMQ_ENABLED_PLUGINS="" RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE="$folder/none" \
    "$folder"/root/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server >"$folder/log" 2>&1 &
server=$!

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
