# shellcheck shell=bash
# For a finding about RabbitMQ: RabbitMQ 3.10.8 with its Erlang, and Python with pika, in a temporary folder. Sets `folder` and
# `port`; all of it ends and goes with the script. With `nodes` set before, a cluster of so many: node N listens ten ports above
# the one before it, and `control N COMMAND…` is its rabbitmqctl. With `plugins` set before, they have these.
folder=$(mktemp -d)
servers=()
stop() {
    local server
    for server in "${servers[@]}"; do kill -TERM "$server" 2>/dev/null || true; done
    for server in "${servers[@]}"; do wait "$server" 2>/dev/null || true; done
    [[ ${#servers[@]} -eq 0 ]] || epmd -kill >/dev/null || true
    rm -rf "$folder"
}

# control NODE COMMAND…: rabbitmqctl for a node, by its number.
control() {
    local name=finding$port-$1@localhost
    shift
    env RABBITMQ_CONF_ENV_FILE=/dev/null "$folder"/root/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmqctl -n "$name" "$@"
}

trap stop EXIT

# await NODE: until it is started; not forever.
await() {
    local _
    for _ in {1..60}; do
        if control "$1" await_startup >/dev/null 2>&1; then return; fi
        sleep 1
    done
    echo "node $1 does not start" >&2
    return 1
}

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
for number in $(seq "${nodes:-1}"); do
    printf 'cluster_formation.peer_discovery_backend = classic_config\n' >"$folder/node$number.conf"
    for other in $(seq "${nodes:-1}"); do
        printf 'cluster_formation.classic_config.nodes.%d = finding%d-%d@localhost\n' "$other" "$port" "$other"
    done >>"$folder/node$number.conf"
    env RABBITMQ_NODENAME="finding$port-$number@localhost" RABBITMQ_NODE_PORT=$((port + 10 * (number - 1))) \
        RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_DIST_PORT=$((port + 10 * number - 8)) \
        RABBITMQ_MNESIA_BASE="$folder/data" RABBITMQ_LOG_BASE="$folder/data" RABBITMQ_LOGS=- RABBITMQ_ENABLED_PLUGINS="${plugins:-}" \
        RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE="$folder/node$number.conf" \
        RABBITMQ_PID_FILE="$folder/pid$number" \
        "$folder"/root/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server >"$folder/log$number" 2>&1 &
    servers+=("$!")
    # The first one makes the cluster.
    ((number > 1 || ${nodes:-1} == 1)) || await "$number"
done
