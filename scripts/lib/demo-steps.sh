# shellcheck shell=bash
# What the demo sends, what it expects, and the table at its end.

names=()
expectations=()
outcomes=()

# record NAME EXPECTED GOT: a line of the closing table.
record() {
    names+=("$1")
    expectations+=("$2")
    outcomes+=("$3")
}

new_id() {
    printf '%s' "$(</proc/sys/kernel/random/uuid)"
}

# What the exit codes of the publisher mean.
outcome_of() {
    case $1 in
        0) printf succeeded ;;
        2) printf declined ;;
        3) printf rejected ;;
        4) printf unknown ;;
        *) printf 'exit %s' "$1" ;;
    esac
}

# send TITLE EXPECTED ARGUMENTS…: publishes one command, shows its reply as the publisher prints it for people.
send() {
    local title=$1 expected=$2 status=0
    shift 2
    printf '\n── %s\n' "$title"
    "$programs/publisher" "$@" --timeout 30s </dev/null 2>&1 | sed 's/^/   /' || status=${PIPESTATUS[0]}
    record "$title" "$expected" "$(outcome_of "$status")"
}

# send_authorize TITLE EXPECTED PAYMENT CARD CVV EXPIRY [OPTIONS…]
send_authorize() {
    local title=$1 expected=$2 payment=$3 card=$4 cvv=$5 expiry=$6
    shift 6
    send "$title" "$expected" authorize --payment-id "$payment" --amount 5000 --order-id "order-${payment%%-*}" \
        --customer-id demo --card "$card" --cvv "$cvv" --expiry "$expiry" "$@"
}

# The bank's test cards: one that is good, one without money.
readonly good_card=(4111111111111111 123 12/2030)
readonly empty_card=(5555555555554444 789 09/2030)

send_commands() {
    sold=$(new_id) cancelled=$(new_id) declined=$(new_id) key=demo-$(new_id)
    send_authorize "authorize 50.00 USD" succeeded "$sold" "${good_card[@]}" --idempotency-key "$key"
    send "capture it" succeeded capture --payment-id "$sold"
    send "refund it" succeeded refund --payment-id "$sold"
    send_authorize "authorize another" succeeded "$cancelled" "${good_card[@]}"
    send "void it" succeeded void --payment-id "$cancelled"
    send "capture what was voided" rejected capture --payment-id "$cancelled"
    send_authorize "authorize without funds" declined "$declined" "${empty_card[@]}"
    send_authorize "the first command again" succeeded "$sold" "${good_card[@]}" --idempotency-key "$key"
    compare_duplicates
}

# The same command under the same key: the same reply to the byte, however often.
compare_duplicates() {
    local replies=() arguments=(authorize --payment-id "$sold" --amount 5000 --order-id "order-${sold%%-*}"
        --customer-id demo --card "${good_card[0]}" --cvv "${good_card[1]}" --expiry "${good_card[2]}"
        --idempotency-key "$key" --timeout 30s --json)
    replies+=("$("$programs/publisher" "${arguments[@]}" </dev/null || true)")
    replies+=("$("$programs/publisher" "${arguments[@]}" </dev/null || true)")
    if [[ -n ${replies[0]} && ${replies[0]} == "${replies[1]}" ]]; then
        record "its reply, asked for twice more" identical identical
    else
        record "its reply, asked for twice more" identical different
    fi
}

# What the processor has stored, by its own query.
check_payments() {
    local status
    for status in "$sold REFUNDED" "$cancelled VOIDED" "$declined FAILED"; do
        record "payment ${status%%-*}" "${status#* }" "$(status_of "${status% *}")"
    done
}

status_of() {
    "$programs/processor" payments show "$1" --json 2>/dev/null | grep -o '"status" *: *"[A-Z]*"' | head -n 1 |
        cut -d '"' -f 4 || printf 'not found'
}

# What the bank has done, by its own ledger: each effect once.
check_ledger() {
    local port=${BANK_URL##*:} effects
    [[ $BANK_URL == http://127.0.0.1:"$BANK_PORT" ]] || return 0
    effects=$(http_get "$port" /ledger | grep -o '"operation":"[a-z]*"' | cut -d '"' -f 4 | sort | uniq -c |
        awk '{ printf "%s%s %s", (NR > 1 ? ", " : ""), $1, $2 }' || true)
    record "the bank's ledger" "2 authorize, 1 capture, 1 refund, 1 void" "$effects"
}

# The closing table; fails if any line is not as expected.
summary() {
    local index mark wrong=0
    printf '\n%-34s %-42s %s\n' "step" "expected" "got"
    for index in "${!names[@]}"; do
        mark=ok
        if [[ ${expectations[$index]} != "${outcomes[$index]}" ]]; then
            mark=WRONG
            wrong=$((wrong + 1))
        fi
        printf '%-34s %-42s %-42s %s\n' "${names[$index]}" "${expectations[$index]}" "${outcomes[$index]}" "$mark"
    done
    printf '\n%d of %d as expected\n' "$((${#names[@]} - wrong))" "${#names[@]}"
    ((wrong == 0)) || fail "not every outcome was as expected; the logs are in $(shown "$state")/*/server.log"
}
