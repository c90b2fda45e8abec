# shellcheck shell=bash
# Processes by recorded id, never by name. A service NAME has its id in $state/NAME/pid and, because ids are given
# out again, the boot and start time of that process in $state/NAME/pid.born; both must match before any signal.

boot=$(</proc/sys/kernel/random/boot_id)
readonly boot

# Set by a signal. Nothing is torn down in the middle of a step: the next wait sees it and gives up in good order.
interrupted=0

heed_interrupt() {
    ((interrupted)) || return 0
    say "interrupted"
    exit 130
}

# When a process was born, in a form that no other process of this machine ever has; fails if it is gone.
born() {
    local stat fields
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
    read -ra fields <<<"${stat##*) }"
    [[ ${fields[0]} != [ZX] ]] || return 1
    printf '%s/%s' "$boot" "${fields[19]}"
}

# The recorded id of a service that is still that very process; fails if it is not.
pid_of() {
    local pid birth
    read -r pid 2>/dev/null <"$state/$1/pid" || return 1
    read -r birth 2>/dev/null <"$state/$1/pid.born" || return 1
    [[ $(born "$pid") == "$birth" ]] || return 1
    printf '%s' "$pid"
}

is_running() {
    pid_of "$1" >/dev/null
}

# Starts a service in a session of its own, so that a Ctrl-C at the terminal does not reach it, and records it.
# The locks (8 and 9) stay with the caller.
spawn() {
    local name=$1
    shift
    { cd / && exec setsid "$@"; } </dev/null >>"$state/$name/server.log" 2>&1 8>&- 9>&- &
    printf '%s\n' "$!" >"$state/$name/pid"
    printf '%s\n' "$(born "$!")" >"$state/$name/pid.born"
}

# wait_until NAME SECONDS COMMAND…: until the command succeeds; fails as soon as the service has died.
wait_until() {
    local name=$1 limit=$((SECONDS + $2))
    shift 2
    until "$@"; do
        heed_interrupt
        is_running "$name" || blame "$name" "stopped while starting"
        ((SECONDS < limit)) || blame "$name" "was not ready in time"
        sleep 0.1
    done
}

# Ends with the line that says which log to read, after what stands last in it.
blame() {
    heed_interrupt
    tail -n 5 "$state/$1/server.log" | sed 's/^/    /' >&2
    fail "$1 $2; see $(shown "$state/$1/server.log")"
}

# The descendants of a process, each as id=born.
family() {
    local stat fields entry pid
    local -A parent=()
    for entry in /proc/[0-9]*; do
        read -r stat 2>/dev/null <"$entry/stat" || continue
        read -ra fields <<<"${stat##*) }"
        parent[${entry#/proc/}]=${fields[1]}
    done
    local -a found=("$1")
    while ((${#found[@]})); do
        local next=()
        for pid in "${!parent[@]}"; do
            [[ " ${found[*]} " != *" ${parent[$pid]} "* ]] || next+=("$pid")
        done
        for pid in "${next[@]}"; do
            printf '%s=%s\n' "$pid" "$(born "$pid")"
        done
        found=("${next[@]}")
    done
}

# signal_all NAME SIGNAL: to a service and all its descendants.
signal_all() {
    local name=$1 pid member
    pid=$(pid_of "$name") || fail "$name does not run"
    kill -s "$2" "$pid"
    for member in $(family "$pid"); do kill -s "$2" "${member%%=*}" 2>/dev/null || true; done
}

# is_gone ID BORN SECONDS: whether a process ends within the time.
is_gone() {
    local limit=$((SECONDS + $3))
    while [[ $(born "$1") == "$2" ]]; do
        ((SECONDS < limit)) || return 1
        sleep 0.05
    done
}

# end_process NAME SIGNAL SECONDS: asks a service to end, insists when the time is over, and leaves none of its
# children behind; KILL ends them all at once, as a failure of their machine would. Harmless when it is not running.
end_process() {
    local name=$1 signal=$2 grace=$3 pid birth members member
    if pid=$(pid_of "$name"); then
        read -r birth <"$state/$name/pid.born"
        mapfile -t members < <(family "$pid")
        if [[ $signal == KILL ]]; then
            # A frozen one is not woken: it would go on for a moment, and send what was held back.
            kill -s KILL "$pid" "${members[@]%%=*}" 2>/dev/null || true
        else
            kill -s "$signal" "$pid" 2>/dev/null || true
            # One that was frozen ends, too.
            for member in "$pid" "${members[@]}"; do kill -s CONT "${member%%=*}" 2>/dev/null || true; done
        fi
        if ! is_gone "$pid" "$birth" "$grace"; then
            say "$name did not stop within $grace s: killing it"
            kill -s KILL "$pid" 2>/dev/null || true
            is_gone "$pid" "$birth" 10 || fail "$name (process $pid) cannot be killed"
        fi
        for member in "${members[@]}"; do
            is_gone "${member%%=*}" "${member#*=}" 5 || kill -s KILL "${member%%=*}" 2>/dev/null || true
        done
    fi
    rm -f "$state/$name/pid" "$state/$name/pid.born"
}
