# shellcheck shell=bash
# A processor of $programs over services of its own, for the demo and the benchmark.

take_down() {
    local status=$?
    trap '' INT TERM HUP
    end_process processor TERM 40
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
    choose_admin_port
    spawn processor env ADMIN_PORT="$admin_port" "$programs/processor" run
    processor=$!
    wait_until processor 60 is_healthy "$admin_port" /readyz
}

# It drains what it has in hand; how it ended is in $processor_exit then.
stop_processor() {
    processor_exit=0
    say "stopping the processor…"
    kill -s TERM "$processor"
    wait "$processor" || processor_exit=$?
}
