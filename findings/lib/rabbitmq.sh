# shellcheck shell=bash
# For a finding about RabbitMQ: RabbitMQ 3.10.8 with its Erlang, and Python with pika, in a temporary folder. Sets `folder` and
# `port`; all of it ends and goes with the script.
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
env RABBITMQ_NODENAME="finding$port@localhost" RABBITMQ_NODE_PORT=$port RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 \
    RABBITMQ_DIST_PORT=$((port + 2)) RABBITMQ_MNESIA_BASE="$folder/data" RABBITMQ_LOG_BASE="$folder/data" \
    RABBITMQ_LOGS=- RABBITMQ_ENABLED_PLUGINS="" RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE="$folder/none" \
    "$folder"/root/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server >"$folder/log" 2>&1 &
server=$!
