# shellcheck shell=bash
# A processor of $programs over services of its own, for the demo and the benchmark.

# Other folders of services than $SERVICES_DIR that go with it.
more_services=()

take_down() {
    local status=${1:-$?}
    trap '' INT TERM HUP
    local name
    for name in "${more_processors[@]}" processor; do end_process "$name" TERM 40; done
    for name in "${more_services[@]}"; do SERVICES_DIR=$name "$root/scripts/services" down || true; done
    "$root/scripts/services" down || true
    exit "$status"
}

take_down_at_exit() {
    trap take_down EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

# Anew, with empty data; their addresses are in the environment then.
start_services() {
    "$root/scripts/services" down
    "$root/scripts/services" up
    load_settings
    set -a
    # shellcheck source=/dev/null
    . "$state/env"
    set +a
}

# A free port for the processor's own HTTP, recorded like those of the services.
choose_admin_port() {
    admin_port=$((15000 + SRANDOM % 17000))
    while is_ours "$admin_port" ADMIN_PORT || is_listening "$admin_port"; do
        admin_port=$((15000 + SRANDOM % 17000))
    done
}

# Its id is in $processor then.
start_processor() {
    say "starting the processor…"
    mkdir -p "$state/processor"
    rm -f "$state/processor/server.log"
    "$programs/processor" migrate >"$state/processor/migrate.log" 2>&1 ||
        fail "the database could not be migrated; see $(shown "$state/processor/migrate.log")"
    spawn_processor processor
    processor=$(pid_of processor)
}

# spawn_processor NAME: one more, or one again, which is ready then.
spawn_processor() {
    choose_admin_port
    spawn "$1" env ADMIN_PORT="$admin_port" "$programs/processor" run
    wait_until "$1" 60 is_healthy "$admin_port" /readyz
}

more_processors=()

# start_more_processors N: so many are there then, and each has its share of the command queues.
start_more_processors() {
    local number name
    for ((number = 2; number <= $1; number++)); do
        name=processor-$number
        say "starting processor $number…"
        mkdir -p "$state/$name"
        rm -f "$state/$name/server.log"
        more_processors+=("$name")
        spawn_processor "$name"
    done
    ((${#more_processors[@]} == 0)) || wait_until processor 60 share_evenly "$1"
}

# share_evenly N: N processors know of each other. What a partition's new owner does not read yet the old one reads on.
share_evenly() {
    "$programs/processor" members --json 2>/dev/null | python3 -c '
import json, sys

shares = [len(member["partitions"]) for member in json.load(sys.stdin)["members"]]
sys.exit(not (len(shares) == int(sys.argv[1]) and max(shares) - min(shares) < 2))
' "$1"
}

# It drains what it has in hand; how it ended is in $processor_exit then.
# shellcheck disable=SC2034
stop_processor() {
    processor_exit=0
    say "stopping the processor…"
    kill -s TERM "$processor"
    # shellcheck disable=SC2034
    wait "$processor" || processor_exit=$?
}
