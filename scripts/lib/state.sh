# shellcheck shell=bash
# What a set of private services remembers between calls: its folder, its ports, its password.
#
# The folder is .local of the clone, or $SERVICES_DIR (the suite and the demo use folders of their own, so that
# they never meet a `make up` in use). Ports and password stay the same from one up to the next where they can.

state=${SERVICES_DIR:-.local}
[[ $state == /* ]] || state=$root/$state
readonly state

readonly user=payments
readonly ports=(AMQP_PORT AMQPS_PORT MANAGEMENT_PORT DISTRIBUTION_PORT EPMD_PORT POSTGRES_PORT STANDBY_PORT BANK_PORT)

# Whose port or address it is, and the address by which a service is known.
declare -rA service_of=(
    [AMQP_PORT]=rabbitmq [AMQPS_PORT]=rabbitmq [MANAGEMENT_PORT]=rabbitmq [DISTRIBUTION_PORT]=rabbitmq [EPMD_PORT]=epmd
    [POSTGRES_PORT]=postgres [STANDBY_PORT]=standby [BANK_PORT]=bank
    [AMQP_URL]=rabbitmq [AMQPS_URL]=rabbitmq [RABBITMQ_MANAGEMENT_URL]=rabbitmq [DATABASE_URL]=postgres [BANK_URL]=bank
)
# shellcheck disable=SC2034
declare -rA address_of=([rabbitmq]=AMQP_URL [postgres]=DATABASE_URL [standby]=DATABASE_URL [bank]=BANK_URL)

load_settings() {
    # shellcheck source=/dev/null
    [[ ! -f $state/settings ]] || . "$state/settings"
}

save_settings() {
    local name
    {
        for name in "${ports[@]}"; do printf '%s=%s\n' "$name" "${!name:-}"; done
        printf 'PASSWORD=%s\nHAS_STANDBY=%s\nTLS=%q\n' "$PASSWORD" "${HAS_STANDBY:-}" "${TLS:-}"
    } >"$state/settings.new"
    mv "$state/settings.new" "$state/settings"
}

is_listening() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Whether one of our other services has this port, so that no two of them get the same.
is_ours() {
    local name
    for name in "${ports[@]}"; do
        [[ $name == "$2" || ${!name:-} != "$1" ]] || return 0
    done
    return 1
}

# Gives every service a port and the set a password. A port that was used before is kept unless somebody else
# listens there now. New ones lie below the range from which the kernel takes ports for outgoing connections.
choose_settings() {
    local name limit
    for name in "${ports[@]}"; do
        is_running "${service_of[$name]}" && continue
        # What is left of a server that was killed may hold its port for a moment. It comes back on the same one.
        limit=$((SECONDS + 10))
        while [[ -n ${!name:-} ]] && is_listening "${!name}" && ((SECONDS < limit)); do sleep 0.1; done
        while [[ -z ${!name:-} ]] || is_ours "${!name}" "$name" || is_listening "${!name}"; do
            printf -v "$name" '%d' $((15000 + SRANDOM % 17000))
        done
    done
    : "${PASSWORD:=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')}"
    save_settings
}

# The address of one PostgreSQL, by its port.
postgres_url() {
    printf 'postgresql://%s:%s@127.0.0.1:%s/payments' "$user" "$PASSWORD" "$1"
}

# The address of one of our own services. A database that has a standby is whichever of the two takes writes.
own_url() {
    case $1 in
        AMQP_URL) printf 'amqp://%s:%s@127.0.0.1:%s/%%2f' "$user" "$PASSWORD" "$AMQP_PORT" ;;
        AMQPS_URL) printf 'amqps://%s:%s@127.0.0.1:%s/%%2f' "$user" "$PASSWORD" "$AMQPS_PORT" ;;
        DATABASE_URL)
            if [[ -n ${HAS_STANDBY:-} ]]; then
                printf '%s?target_session_attrs=read-write' "$(postgres_url "$POSTGRES_PORT,127.0.0.1:$STANDBY_PORT")"
            else
                postgres_url "$POSTGRES_PORT"
            fi
            ;;
        BANK_URL) printf 'http://127.0.0.1:%s' "$BANK_PORT" ;;
        RABBITMQ_MANAGEMENT_URL) printf 'http://%s:%s@127.0.0.1:%s' "$user" "$PASSWORD" "$MANAGEMENT_PORT" ;;
    esac
}

# Whether the caller's environment names a server to use instead of ours. The address of one of this clone's own
# services does not count: it comes from an .local/env that was read into the shell earlier.
is_given() {
    local value=${!1:-} file
    [[ -n $value ]] || return 1
    for file in "$root/.local/settings" "$root"/.local/*/settings "$state/settings"; do
        [[ -f $file ]] || continue
        # shellcheck source=/dev/null
        if (. "$file" && [[ $value == "$(own_url "$1")" ]]); then return 1; fi
    done
}

# Writes the addresses of what was given and of what runs as KEY='value' lines, for `set -a; . .local/env; set +a`.
write_env() {
    local name value
    for name in AMQP_URL AMQPS_URL RABBITMQ_MANAGEMENT_URL DATABASE_URL BANK_URL; do
        [[ $name != AMQPS_URL || -n ${TLS:-} ]] || continue
        if is_given "$name"; then
            value=${!name}
        elif is_running "${service_of[$name]}"; then
            value=$(own_url "$name")
        else
            continue
        fi
        printf "%s='%s'\n" "$name" "${value//\'/\'\\\'\'}"
    done >"$state/env.new"
    mv "$state/env.new" "$state/env"
}
