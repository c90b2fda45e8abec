# shellcheck shell=bash
# A private RabbitMQ: own node, own cookie, own epmd, loopback only. It runs as whoever calls, root included: the
# server's own script is started, not the wrapper in the path, which changes to the system's user.
#
# It is the system's, or with RABBITMQ=4.0 in the environment of `up` another version (scripts/rabbitmq-version). With
# RABBITMQ_CLUSTER=DIR it becomes a node of the cluster that the RabbitMQ of that other folder belongs to, with
# RABBITMQ_PLUGINS=NAME,NAME it has these plugins, too.

readonly rabbitmq_server=/usr/lib/rabbitmq/bin/rabbitmq-server

rabbitmq_begin() {
    local home=$state/rabbitmq version=${RABBITMQ:-} place before=()
    is_running rabbitmq && return
    if [[ ! -d $home/data ]]; then
        rm -f "$home/server.log" "$home/version"
    elif [[ -f $home/version ]]; then
        # Its data is of the version that made it.
        version=$(<"$home/version")
    fi
    if [[ -n $version ]]; then
        place=$("$root/scripts/rabbitmq-version" "$version") || exit 1
        rabbitmq_in "$place"
    fi
    [[ -n $version || -x $rabbitmq_server ]] || fail "RabbitMQ is not installed: run scripts/bootstrap, or set AMQP_URL"
    say "starting RabbitMQ${version:+ $version}…"
    mkdir -p "$state/epmd" "$home/home" "$home/data" "$home/log" "$home/conf.d"
    printf '%s' "$version" >"$home/version"
    rabbitmq_join
    rabbitmq_configuration >"$home/rabbitmq.conf"
    printf '[%s].\n' "rabbitmq_consistent_hash_exchange,rabbitmq_management${RABBITMQ_PLUGINS:+,$RABBITMQ_PLUGINS}" \
        >"$home/enabled_plugins"
    if [[ ! -s $home/cluster ]]; then
        is_running epmd || spawn epmd env -i epmd -address 127.0.0.1 -port "$EPMD_PORT"
        wait_until epmd 20 is_listening "$EPMD_PORT"
    fi

    # The other nodes of a cluster miss one that stands still, by what net_ticktime says, and elect others in its place, by what aten
    # asks each second, five by default (docs/operations.md#a-cluster-of-brokers).
    #
    # With "allow input" the script becomes the Erlang machine instead of staying its parent, so the recorded
    # process is the broker itself; -noinput then takes the input away again.
    local variables=(
        PATH="$PATH" LANG=C.UTF-8 HOME="$home/home"
        ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT="$(rabbitmq_epmd_port)"
        RABBITMQ_ALLOW_INPUT=true RABBITMQ_SERVER_START_ARGS="-noinput +B i"
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} -aten poll_interval 1000"
        RABBITMQ_NODENAME="$(rabbitmq_node)" RABBITMQ_NODE_IP_ADDRESS=127.0.0.1
        RABBITMQ_NODE_PORT="$AMQP_PORT" RABBITMQ_DIST_PORT="$DISTRIBUTION_PORT"
        RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE="$home/rabbitmq.conf"
        RABBITMQ_CONFIG_FILES="$home/conf.d" RABBITMQ_ADVANCED_CONFIG_FILE="$home/advanced.config"
        RABBITMQ_ENABLED_PLUGINS_FILE="$home/enabled_plugins" RABBITMQ_PID_FILE="$home/data/pid"
        RABBITMQ_MNESIA_BASE="$home/data" RABBITMQ_LOG_BASE="$home/log" RABBITMQ_LOGS=-
    )
    spawn rabbitmq "${before[@]}" env -i "${variables[@]}" "$rabbitmq_server"
}

# Before the first start of a node of somebody else's cluster: its place, the cookie and the password that all its nodes share.
rabbitmq_join() {
    local home=$state/rabbitmq first=${RABBITMQ_CLUSTER:-}
    [[ -n $first && ! -s $home/cluster ]] || return 0
    [[ $first != "$state" && -f $first/rabbitmq/home/.erlang.cookie ]] ||
        fail "RABBITMQ_CLUSTER=$first: no RabbitMQ runs there; start it first"
    install -m 400 "$first/rabbitmq/home/.erlang.cookie" "$home/home/.erlang.cookie"
    # shellcheck source=/dev/null
    PASSWORD=$(. "$first/settings" && printf '%s' "$PASSWORD")
    save_settings
    # It keeps its name should its port be another one some day.
    printf 'payments-%s@localhost' "$AMQP_PORT" >"$home/node"
    printf '%s' "$first" >"$home/cluster"
}

rabbitmq_node() {
    if [[ -s $state/rabbitmq/cluster ]]; then cat "$state/rabbitmq/node"; else printf 'payments@localhost'; fi
}

# All nodes of a cluster have the epmd of its first one.
rabbitmq_epmd_port() {
    local first
    if [[ ! -s $state/rabbitmq/cluster ]]; then
        printf '%s' "$EPMD_PORT"
    else
        first=$(<"$state/rabbitmq/cluster")
        # shellcheck source=/dev/null
        (. "$first/settings" && printf '%s' "$EPMD_PORT")
    fi
}

# What stands before a command so that it sees the programs and libraries of a folder in place of the system's, and else
# everything as it is: ports, processes, the folders of this clone. The process stays the same.
rabbitmq_in() {
    local namespaces=(--mount)
    ((EUID == 0)) || namespaces+=(--map-root-user)
    # shellcheck disable=SC2016,SC2034
    before=(unshare "${namespaces[@]}" bash -c 'mount --bind "$0/usr" /usr && exec "$@"' "$1")
}

rabbitmq_configuration() {
    local version=
    [[ ! -s $state/rabbitmq/version ]] || version=$(<"$state/rabbitmq/version")
    cat <<TXT
listeners.tcp.1 = 127.0.0.1:$AMQP_PORT
management.tcp.ip = 127.0.0.1
management.tcp.port = $MANAGEMENT_PORT
default_user = $user
default_pass = $PASSWORD
vm_memory_high_watermark.absolute = 2GB
disk_free_limit.absolute = 50MB
log.console.level = info
cluster_partition_handling = pause_minority
net_ticktime = 4
TXT
    # Versions before do not know it, and do not need it (docs/operations.md#a-cluster-of-brokers).
    [[ -z $version || $version =~ ^4\.[0-2]$ ]] || printf 'consumer_disconnected_timeout = 1000\n'
    [[ -z ${TLS:-} ]] || cat <<TXT
listeners.ssl.1 = 127.0.0.1:$AMQPS_PORT
ssl_options.cacertfile = $TLS/ca.pem
ssl_options.certfile = $TLS/server.pem
ssl_options.keyfile = $TLS/server.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
TXT
    [[ ! -s $state/rabbitmq/cluster ]] || cat <<TXT
cluster_formation.peer_discovery_backend = classic_config
cluster_formation.classic_config.nodes.1 = payments@localhost
cluster_formation.classic_config.nodes.2 = $(rabbitmq_node)
TXT
}

# Files of TLS that have changed count from now on; by itself the broker looks every two minutes.
rabbitmq_renew() {
    rabbitmq_control eval 'ssl:clear_pem_cache().'
}

# Whether the broker greets a client. It opens this port last, when its plugins run and its user exists.
rabbitmq_is_ready() {
    local greeting
    greeting=$({
        exec 3<>"/dev/tcp/127.0.0.1/$AMQP_PORT" && printf 'AMQP\x00\x00\x09\x01' >&3 &&
            timeout 5 head -c 1 <&3 | od -An -tu1
    } 2>/dev/null) || return 1
    [[ $greeting == *1 ]]
}

rabbitmq_wait() {
    wait_until rabbitmq 120 rabbitmq_is_ready
}

rabbitmq_alarm() {
    rabbitmq_control set_vm_memory_high_watermark absolute 1MB
}

rabbitmq_calm() {
    rabbitmq_control set_vm_memory_high_watermark absolute 2GB
}

# The process of a quorum queue of the default virtual host stands still; what is sent to it waits.
rabbitmq_mute() {
    rabbitmq_control eval "ok = sys:suspend({'%2F_$1', node()})."
}

rabbitmq_unmute() {
    rabbitmq_control eval "ok = sys:resume({'%2F_$1', node()})."
}

# The nodes of a cluster lead as many quorum queues each.
rabbitmq_spread() {
    rabbitmq_control eval '{ok, _} = rabbit_amqqueue:rebalance(quorum, ".*", ".*").'
}

# A command of rabbitmqctl, for the private node; without what it prints.
rabbitmq_control() {
    rabbitmq_rabbitmqctl "$@" >/dev/null
}

rabbitmq_rabbitmqctl() {
    local home=$state/rabbitmq version before=()
    version=$(<"$home/version")
    if [[ -n $version ]]; then rabbitmq_in "$("$root/scripts/rabbitmq-version" "$version")"; fi
    "${before[@]}" env -i PATH="$PATH" LANG=C.UTF-8 HOME="$home/home" ERL_EPMD_ADDRESS=127.0.0.1 \
        ERL_EPMD_PORT="$(rabbitmq_epmd_port)" RABBITMQ_NODENAME="$(rabbitmq_node)" RABBITMQ_CONF_ENV_FILE=/dev/null \
        "${rabbitmq_server%/*}/rabbitmqctl" --quiet "$@"
}

# Its epmd outlives a restart, as it would among a machine's other Erlang programs.
rabbitmq_remove() {
    end_process epmd TERM 5
    rm -rf "$state/rabbitmq/data" "$state/rabbitmq/home" "$state/rabbitmq/log" "$state"/rabbitmq/{cluster,node}
}
