# shellcheck shell=bash
# A streaming standby of the private PostgreSQL, for what a failover may lose. Asynchronous, unless STANDBY=synchronous
# in the environment of `up`: then a commit waits for it.

standby_begin() {
    local place
    is_running standby && return
    is_running postgres || [[ -d $state/standby/place/data ]] ||
        fail "a standby is a copy of a running primary: start postgres with it"
    HAS_STANDBY=1
    save_settings
    mkdir -p "$state/standby"
    if [[ ! -d $state/standby/place/data ]]; then
        postgres_wait
        say "copying the database to a standby…"
        postgres_copy standby --write-recovery-conf
    fi
    say "starting the standby…"
    place=$(readlink -f "$state/standby/place")
    postgres_after_kill "$place/data"
    spawn standby env -i PATH="$PATH" LANG=C.UTF-8 "${unprivileged[@]}" \
        "$(postgres_programs)/postgres" -D "$place/data" -c "port=$STANDBY_PORT" -c cluster_name=standby
}

standby_wait() {
    wait_until standby 60 postgres_is_ready "$STANDBY_PORT"
    is_running postgres || return 0
    wait_until standby 60 standby_streams
    [[ ${STANDBY:-} == synchronous ]] || return 0
    postgres_query "$POSTGRES_PORT" "ALTER SYSTEM SET synchronous_standby_names = 'standby'"
    postgres_query "$POSTGRES_PORT" "SELECT pg_reload_conf()" >/dev/null
    wait_until standby 60 standby_is_synchronous
}

standby_streams() {
    [[ $(standby_replication) == *streaming* ]]
}

standby_is_synchronous() {
    [[ $(standby_replication) == *sync && $(standby_replication) != *async ]]
}

# The process that sends to the standby, its state, and whether commits wait for it; empty when there is none.
standby_replication() {
    postgres_query "$POSTGRES_PORT" \
        "SELECT pid, state, sync_state FROM pg_stat_replication WHERE application_name = 'standby'"
}

# What is committed from now on stays on the primary: the process that sends it is stopped. So nothing waits in a buffer
# on the way either, and a promotion loses it for certain.
standby_stall() {
    local row
    row=$(standby_replication)
    [[ -n $row ]] || fail "nothing is sent to the standby: it is not connected"
    kill -s STOP "${row%%|*}"
}

# Sends what has been held back.
standby_resume() {
    local row
    row=$(standby_replication)
    [[ -n $row ]] || fail "nothing was held back: the standby is not connected"
    kill -s CONT "${row%%|*}"
}

# Makes a primary of it, with what it has received so far.
standby_promote() {
    [[ $(postgres_query "$STANDBY_PORT" 'SELECT pg_promote(true, 60)') == t ]] || fail "the standby cannot be promoted"
}

standby_remove() {
    HAS_STANDBY=
    [[ ! -f $state/settings ]] || save_settings
    postgres_remove_place standby
}
