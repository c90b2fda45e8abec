# shellcheck shell=bash
# A private PostgreSQL: own cluster, loopback only, a password. It refuses to run as root, so for root it runs as
# the system's user postgres, whose data must lie where that user can go: not below a clone in root's home.

# The programs of the newest server that is installed.
postgres_programs() {
    local found
    found=$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sort -V | tail -n 1)
    [[ -x $found ]] || fail "PostgreSQL is not installed: run scripts/bootstrap, or set DATABASE_URL"
    dirname "$found"
}

# What stands before a command so that it runs as a user that PostgreSQL accepts.
unprivileged=()
((EUID != 0)) || unprivileged=(setpriv --reuid=postgres --regid=postgres --init-groups)
readonly unprivileged

postgres_begin() {
    local programs place
    is_running postgres && return
    programs=$(postgres_programs)
    mkdir -p "$state/postgres"
    [[ -d $state/postgres/place/data ]] || postgres_create "$programs"
    say "starting PostgreSQL…"
    place=$(readlink -f "$state/postgres/place")
    postgres_after_kill "$place/data"
    spawn postgres env -i PATH="$PATH" LANG=C.UTF-8 "${unprivileged[@]}" \
        "$programs/postgres" -D "$place/data" -c "port=$POSTGRES_PORT"
}

# A killed server leaves its lock file, and for a moment its children. Without them (all work inside the data folder)
# the lock means nothing, though its process id may still be there: given out again, or waiting for a lazy parent.
postgres_after_kill() {
    local data=$1 pid limit=$((SECONDS + 15))
    while in_use "$data"; do
        ((SECONDS < limit)) || fail "another process still works in $data: end it, or run 'scripts/services down'"
        sleep 0.1
    done
    read -r pid 2>/dev/null <"$data/postmaster.pid" || return 0
    [[ ! -e /proc/$pid ]] || rm -f "$data/postmaster.pid"
}

# Whether a process has this folder as its working directory.
in_use() {
    local entry
    for entry in /proc/[0-9]*/cwd; do
        if [[ $entry -ef $1 ]]; then return 0; fi
    done 2>/dev/null
    return 1
}

# Makes the cluster and the database, or nothing: the data gets its name when it is whole.
postgres_create() {
    local programs=$1 place
    say "creating a database…"
    postgres_remove
    if ((EUID == 0)); then
        place=$(mktemp -d /var/tmp/payment-processor.XXXXXXXX)
        ln -s "$place" "$state/postgres/place"
        chown postgres: "$place"
    else
        place=$state/postgres/place
        mkdir "$place"
    fi
    (
        cd / && export LANG=C.UTF-8 &&
            "${unprivileged[@]}" "$programs/initdb" --pgdata="$place/new" --username="$user" --auth=trust \
                --encoding=UTF8 --locale=C.UTF-8 --no-instructions --no-sync &&
            postgres_configuration >>"$place/new/postgresql.conf" &&
            printf 'host all all 127.0.0.1/32 scram-sha-256\n' >"$place/new/pg_hba.conf" &&
            printf '%s\n' "ALTER ROLE $user PASSWORD '$PASSWORD'" "CREATE DATABASE payments" |
            "${unprivileged[@]}" "$programs/postgres" --single -D "$place/new" postgres
    ) >"$state/postgres/server.log" 2>&1 || blame postgres "could not be set up"
    mv "$place/new" "$place/data"
}

# Durable as in production (fsync and synchronous_commit stay on: a benchmark on it must be honest); only the sizes
# that Debian sets for a machine with 128 MB to spare are raised.
postgres_configuration() {
    cat <<'TXT'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = '256MB'
max_wal_size = '2GB'
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
TXT
}

# Whether a client is let in and finds its database.
postgres_is_ready() {
    "$1" "$(own_url DATABASE_URL)" --no-psqlrc --quiet --command 'SELECT 1' >/dev/null 2>&1
}

postgres_wait() {
    local programs
    programs=$(postgres_programs)
    wait_until postgres 60 postgres_is_ready "$programs/psql"
}

postgres_remove() {
    local place=$state/postgres/place
    [[ ! -L $place || $(readlink "$place") != /var/tmp/payment-processor.* ]] || rm -rf "$(readlink "$place")"
    rm -rf "$place"
}
