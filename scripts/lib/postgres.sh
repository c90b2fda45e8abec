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
    local programs place file options=()
    is_running postgres && return
    programs=$(postgres_programs)
    mkdir -p "$state/postgres"
    [[ -d $state/postgres/place/data ]] || postgres_create "$programs"
    say "starting PostgreSQL…"
    place=$(readlink -f "$state/postgres/place")
    postgres_after_kill "$place/data"
    if [[ -n ${TLS:-} ]]; then
        postgres_take_certificates
        options=(-c ssl=on)
        for file in ca cert key; do options+=(-c "ssl_${file}_file=$place/tls/$file.pem"); done
    fi
    spawn postgres env -i PATH="$PATH" LANG=C.UTF-8 "${unprivileged[@]}" \
        "$programs/postgres" -D "$place/data" -c "port=$POSTGRES_PORT" "${options[@]}"
}

# A killed server leaves its lock file, and for a moment its children. Without them (all work inside the data folder)
# the lock means nothing, though its process id may still be there: reused, or waiting for a lazy parent.
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
    postgres_make_place postgres
    place=$(readlink -f "$state/postgres/place")
    (
        cd / && export LANG=C.UTF-8 &&
            "${unprivileged[@]}" "$programs/initdb" --pgdata="$place/new" --username="$user" --auth=trust \
                --encoding=UTF8 --locale=C.UTF-8 --no-instructions --no-sync &&
            postgres_configuration >>"$place/new/postgresql.conf" &&
            postgres_clients >"$place/new/pg_hba.conf" &&
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
max_connections = 500
shared_buffers = '256MB'
max_wal_size = '2GB'
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
TXT
}

# Over TLS only with a certificate.
postgres_clients() {
    [[ -z ${TLS:-} ]] || printf 'hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n'
    printf 'host %s all 127.0.0.1/32 scram-sha-256\n' all replication
}

# The server's user must own its key.
postgres_take_certificates() {
    local place
    place=$(readlink -f "$state/postgres/place")
    mkdir -p "$place/tls"
    cp "$TLS/ca.pem" "$place/tls/ca.pem"
    cp "$TLS/server.pem" "$place/tls/cert.pem"
    cp "$TLS/server.key" "$place/tls/key.pem"
    chmod 600 "$place/tls/key.pem"
    ((EUID != 0)) || chown -R postgres: "$place/tls"
}

# Files of TLS that have changed count for connections from now on.
postgres_renew() {
    postgres_take_certificates
    kill -s HUP "$(pid_of postgres)"
}

# postgres_query PORT SQL: what one server answers, without decoration.
postgres_query() {
    "$(postgres_programs)/psql" "$(postgres_url "$1")" --no-psqlrc --quiet --no-align --tuples-only --command "$2"
}

# Whether a client is let in and finds its database.
postgres_is_ready() {
    postgres_query "$1" 'SELECT 1' >/dev/null 2>&1
}

postgres_wait() {
    wait_until postgres 60 postgres_is_ready "$POSTGRES_PORT"
}

postgres_remove() {
    postgres_remove_place postgres
}

# A folder where the server's user can go, under the name $state/NAME/place.
postgres_make_place() {
    local place
    mkdir -p "$state/$1"
    if ((EUID == 0)); then
        place=$(mktemp -d /var/tmp/payment-processor.XXXXXXXX)
        ln -s "$place" "$state/$1/place"
        chown postgres: "$place"
    else
        mkdir "$state/$1/place"
    fi
}

postgres_remove_place() {
    local place=$state/$1/place
    [[ ! -L $place || $(readlink "$place") != /var/tmp/payment-processor.* ]] || rm -rf "$(readlink "$place")"
    rm -rf "$place"
}

# postgres_copy NAME OPTIONS…: copies the running primary into $state/NAME/place/data, which appears when it is whole.
postgres_copy() {
    local name=$1 place
    shift
    postgres_remove_place "$name"
    postgres_make_place "$name"
    place=$(readlink -f "$state/$name/place")
    (
        cd / && "${unprivileged[@]}" "$(postgres_programs)/pg_basebackup" --dbname="$(postgres_url "$POSTGRES_PORT")" \
            --pgdata="$place/new" --wal-method=stream --checkpoint=fast --no-sync "$@"
    ) >>"$state/$name/server.log" 2>&1 || blame "$name" "could not be copied from the primary"
    mv "$place/new" "$place/data"
}

# Keeps a copy of the database as it is now, in place of an earlier one.
postgres_backup() {
    say "copying the database…"
    postgres_copy backup
}

# Puts the database back to the copy, as after a disaster: what was committed since is gone.
postgres_restore() {
    local place copy=$state/backup/place/data
    [[ -d $copy ]] || fail "there is no copy to restore: run 'scripts/services backup postgres' first"
    [[ -z ${HAS_STANDBY:-} ]] || fail "the database has a standby, which would not follow: restore one without"
    end_process postgres KILL "$stop_limit"
    place=$(readlink -f "$state/postgres/place")
    postgres_after_kill "$place/data"
    rm -rf "$place/data"
    cp -a "$copy" "$place/data"
    bring_up postgres
}
