# shellcheck shell=bash
# What customers and operators have going on while the package is upgraded: payments in every state, manual reviews with their
# dead letters, a command that comes while no processor runs. By the programs of the package.

new_id() {
    cat /proc/sys/kernel/random/uuid
}

readonly lives=(held captured refunded declined review stuck)
declare -A id=()
for name in "${lives[@]}"; do id[$name]=$(new_id); done

# COMMAND | says WORDS. It reads to the end: whoever writes is not cut off.
says() {
    grep -F -- "$1" >/dev/null
}

# publish EXIT_CODE SUBCOMMAND OPTION…: ends with this exit code.
publish() {
    local wanted=$1 status=0
    shift
    as_service publisher "$@" || status=$?
    ((status == wanted)) || {
        printf 'publisher %s ended with %d, not %d\n' "$1" "$status" "$wanted"
        return 1
    }
}

# authorizes EXIT_CODE NAME AMOUNT: under a key of its own, so that the same command can be sent again.
authorizes() {
    publish "$1" authorize --amount "$3" --order-id "order-$2" --customer-id customer --payment-id "${id[$2]}" \
        --idempotency-key "authorize-$2" --card 4111111111111111 --cvv 123 --expiry 12/2030 --json
}

# is_in NAME STATUS: the payment is, and is found by its order.
is_in() {
    as_service processor payments list --order-id "order-$1" --json | tee /dev/stderr | says "\"status\":\"$2\""
}

# soon COMMAND…: within a minute.
soon() {
    local limit=$((SECONDS + 60))
    until "$@"; do
        ((SECONDS < limit)) || return 1
        sleep 0.2
    done
}

pay_before() {
    local name
    authorizes 0 held 5000 >"$state/reply-before" || return 1
    for name in captured refunded review stuck; do authorizes 0 "$name" 5000 || return 1; done
    authorizes 2 declined 10000000000 || return 1
    for name in captured refunded; do publish 0 capture --payment-id "${id[$name]}" || return 1; done
    publish 0 refund --payment-id "${id[refunded]}"
}

# The bank confirms another amount than was asked for: nobody but an operator can end that.
need_review() {
    local name
    http_request "$between_port" POST /twist '{"path": "captures", "times": 2, "how": "executed"}' | says ' 200 ' || return 1
    for name in review stuck; do
        publish 4 capture --payment-id "${id[$name]}" --idempotency-key "capture-$name" --timeout 5s &&
            is_in "$name" CAPTURING &&
            soon has_dead_letter "$name" || return 1
    done
}

has_dead_letter() {
    as_service processor dead-letters list --payment "${id[$1]}" --json | tee /dev/stderr | says '"code":"needs_attention"'
}

# Nobody takes it before the upgrade is over.
sends_meanwhile() {
    publish 0 capture --payment-id "${id[held]}" --no-wait
}

takes_what_came_meanwhile() {
    soon is_in held CAPTURED
}

# The same command again, after the upgrade: the same reply, and no second hold.
repeats_its_reply() {
    authorizes 0 held 5000 >"$state/reply-after" && diff "$state/reply-before" "$state/reply-after"
}

keeps_all() {
    is_in captured CAPTURED && is_in refunded REFUNDED && is_in declined FAILED && is_in review CAPTURING &&
        is_in stuck CAPTURING && has_dead_letter review && has_dead_letter stuck
}

resolves() {
    as_service processor payments resolve "${id[review]}" --operation capture-review --as succeeded \
        --reason "after the upgrade" --confirm && is_in review CAPTURED && not has_dead_letter review
}

# By its key the bank tells the truth now.
replays() {
    as_service processor dead-letters replay --payment "${id[stuck]}" --confirm 1 && soon is_in stuck CAPTURED &&
        not has_dead_letter stuck
}

goes_on() {
    publish 0 refund --payment-id "${id[captured]}" && publish 0 refund --payment-id "${id[review]}" &&
        is_in captured REFUNDED && is_in review REFUNDED
}

agrees_with_the_bank() {
    as_service processor payments reconcile-report
}
