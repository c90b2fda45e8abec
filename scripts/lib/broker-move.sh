# shellcheck shell=bash
# What scripts/rehearse-broker-move does with its two brokers, $old and $new, and with the other services of $old.

# Of the queues that are moved: ticks of the sweeps are announced anew, listeners have queues of their own.
readonly moved='^payments[.](commands|retry|dead-letters|unrouted|replies)'

# control PLACE COMMAND…: rabbitmqctl of one of the two brokers.
control() { SERVICES_DIR=$1 "$root/scripts/services" rabbitmqctl "${@:2}"; }

# depth PLACE EXPRESSION: how many messages are in the queues whose names it matches.
depth() {
    control "$1" list_queues name messages --no-table-headers | awk -v names="$2" '$1 ~ names { n += $2 } END { print n + 0 }'
}

holds() { (($(depth "$1" "$2") >= $3)); }

# Whether nothing is left in the queues that are moved: RabbitMQ counts every five seconds, so it must say so twice.
is_empty() { (($(depth "$1" "$moved") == 0)) && sleep 6 && (($(depth "$1" "$moved") == 0)); }

query() { psql "$DATABASE_URL" --no-psqlrc --quiet --no-align --tuples-only --command "$1"; }

# api METHOD PATH JSON: the old broker's management API.
api() { http_request "$MANAGEMENT_PORT" "$1" "/api/$2" "$3" "$user:$PASSWORD"; }

# faults METHOD [FAULT]: of the bank.
faults() { http_request "$BANK_PORT" "$1" /faults "${2:-}" >/dev/null; }

# eventually SECONDS WHAT COMMAND…
eventually() {
    local limit=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        ((SECONDS < limit)) || fail "not in time: $what"
        sleep 0.5
    done
}

# commands FILE FIRST OPERATION…: a batch for $payments payments, numbered from FIRST, each with these operations.
commands() {
    local number operation
    for ((number = $2; number < $2 + payments; number++)); do
        for operation in "${@:3}"; do
            printf '{"operation":"%s","payment_id":"00000000-0000-4000-8000-%012d","idempotency_key":"%s-%d","body":%s}\n' \
                "$operation" "$number" "$operation" "$number" "$(body "$operation" "o-$number")"
        done
    done >"$batches/$1"
}

# body OPERATION ORDER
body() {
    local card='{"number":"4111111111111111","cvv":"123","expiry_month":12,"expiry_year":2030}'
    [[ $1 == authorize ]] || { printf '{}' && return; }
    printf '{"order_id":"%s","customer_id":"c","amount":100,"card":%s}' "$2" "$card"
}

# upstream EXIT PORT FILE SECONDS: sends a batch, as an upstream service with a user of its own, and waits so long for replies.
upstream() {
    local status=0
    "$programs/publisher" batch "$batches/$3" --amqp-url "amqp://shop:shop@127.0.0.1:$2/%2f" --timeout "$4s" \
        >"$batches/$3.out" 2>&1 || status=$?
    ((status == $1)) || fail "batch $3: exit $status instead of $1; see $(shown "$batches/$3.out")"
}

# publish EXCHANGE KEY OPERATION MORE: one odd command at the old broker, with more properties.
publish() {
    local payload payment
    payload=$(body "$3" "$2")
    payment=$(md5sum <<<"$2" | cut -c 1-12)
    [[ $(api POST "exchanges/%2f/$1/publish" '{"routing_key":"","payload_encoding":"string","payload":"'"${payload//\"/\\\"}"'",
        "properties":{"delivery_mode":2,"message_id":"'"$2"'","headers":{"idempotency-key":"'"$2"'",
        "payment-id":"00000000-0000-4000-9000-'"$payment"'"}'"$4"'}}') == *'"routed":true'* ]] || fail "$2 could not be published"
}

# shovels FROM PORT PORT: one for each queue of FROM that is moved, from port to port. They run at the new broker.
shovels() {
    local queue to
    for queue in $(control "$1" list_queues name --no-table-headers | grep -E "$moved" | sort -r); do
        case $queue in
            payments.commands.* | payments.retry.*) to='"dest-exchange":"payments.commands"' ;;
            payments.dead-letters) to='"dest-exchange":"payments.dead-letters","dest-exchange-key":"dead"' ;;
            *) to='"dest-queue":"'$queue'","dest-predeclared":true' ;;
        esac
        control "$new" set_parameter shovel "move-$queue" '{"src-protocol":"amqp091","dest-protocol":"amqp091","reconnect-delay":30,
            "src-uri":"amqp://mover:mover@127.0.0.1:'"$2"'/%2f","src-queue":"'"$queue"'",
            "dest-uri":"amqp://mover:mover@127.0.0.1:'"$3"'/%2f",'"$to"'}' >/dev/null
    done
}

all_run() { ! control "$new" shovel_status --no-table-headers | grep -E '[[:space:]](starting|terminated)[[:space:]]' >"$state/shovels"; }

no_shovels() {
    local name
    for name in $(control "$new" list_parameters --no-table-headers | awk '$1 == "shovel" { print $2 }'); do
        control "$new" clear_parameter shovel "$name" >/dev/null
    done
}

# start_at URL NAME: two processors at a broker.
start_at() {
    local name
    for name in "$2" "$2-2"; do
        mkdir -p "$state/$name"
        rm -f "$state/$name/server.log"
        more_processors+=("$name")
        AMQP_URL=$1 spawn_processor "$name"
    done
}

# end_at NAME: those two, on SIGTERM.
end_at() {
    local name status=0 pids=()
    for name in "$1" "$1-2"; do
        pids+=("$(pid_of "$name")")
        kill -s TERM "${pids[-1]}"
    done
    for name in "${pids[@]}"; do wait "$name" || status=$?; done
    ((status == 0)) || fail "a processor ended with $status; see $(shown "$state/$1")*/server.log"
    [[ $("$programs/processor" members --json) == *'"members":[]'* ]] || fail "a processor is left: $("$programs/processor" members)"
}

# are_done COUNT: whether there are so many operations, and all have succeeded.
are_done() {
    [[ $(query "SELECT count(*), count(*) FILTER (WHERE state = 'SUCCEEDED') FROM operations") == "$1|$1" ]]
}

# check_ledgers COUNT: waits until all has succeeded; then the bank must have done each of it once.
check_ledgers() {
    local ours banks
    eventually 300 "$1 operations have succeeded, in $DATABASE_URL" are_done "$1"
    ours=$(query "SELECT count(*) || ' ' || kind FROM operations GROUP BY kind ORDER BY kind" | paste -sd,)
    banks=$(http_get "$BANK_PORT" /ledger | grep -o '"operation":"[a-z]*"' | cut -d '"' -f 4 | sort | uniq -c |
        awk '{ print $1, $2 }' | paste -sd,)
    [[ $ours == "$banks" ]] || fail "the database has $ours, the bank $banks"
    say "   $1 commands, each once: $ours"
}
