# shellcheck shell=bash
# The bank simulator. Its own variables (MIN_LATENCY_MS, FAILURE_RATE, …) reach it from the caller's environment.

# The built simulator: $BANK_SIMULATOR, else the release one, else the debug one.
bank_program() {
    local program
    for program in "${BANK_SIMULATOR:-}" "$root/.build/release/bank-simulator" "$root/.build/debug/bank-simulator"; do
        if [[ -n $program && -x $program ]]; then
            printf '%s' "$program"
            return
        fi
    done
    fail "the bank simulator is not built: run 'make build', or set BANK_URL"
}

bank_begin() {
    local program
    is_running bank && return
    program=$(bank_program)
    say "starting the bank simulator…"
    mkdir -p "$state/bank"
    spawn bank env HOST=127.0.0.1 PORT="$BANK_PORT" "$program"
}

bank_wait() {
    wait_until bank 30 is_healthy "$BANK_PORT" /health
}

# It keeps nothing but its log.
bank_remove() {
    :
}
