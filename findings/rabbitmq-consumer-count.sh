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
env RABBITMQ_NODENAME="count$port@localhost" RABBITMQ_NODE_PORT=$port RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 \
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
