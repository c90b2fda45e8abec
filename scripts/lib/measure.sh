# shellcheck shell=bash
# What the parts of a benchmark use: CPU time and memory, and one line about a scenario.

# Seconds of CPU that a process and the children it has waited for have used.
cpu_seconds() {
    local stat fields
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 0
    read -ra fields <<<"${stat##*) }"
    awk -v ticks="$((fields[11] + fields[12] + fields[13] + fields[14]))" -v hz="$(getconf CLK_TCK)" \
        'BEGIN { printf "%.2f", ticks / hz }'
}

# Of a process and its children, which live on.
tree_cpu_seconds() {
    local pid total=0
    for pid in "$1" $(pgrep -P "$1" || true); do
        total=$(awk -v a="$total" -v b="$(cpu_seconds "$pid")" 'BEGIN { print a + b }')
    done
    printf '%.2f' "$total"
}

peak_mebibytes() {
    awk '/^VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$1/status"
}

# Of the processor ($processor), PostgreSQL, RabbitMQ and the bank, in this order.
cpu_of_all() {
    printf '%s %s %s %s' "$(cpu_seconds "$processor")" "$(tree_cpu_seconds "$(pid_of postgres)")" \
        "$(tree_cpu_seconds "$(pid_of rabbitmq)")" "$(cpu_seconds "$(pid_of bank)")"
}

# Bytes so far: of PostgreSQL's log of writes (WAL), of the database, of what RabbitMQ has written, and of what went over the loopback
# interface, other programs' traffic included.
bytes_of_all() {
    local query database written sent
    query="SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint || ' ' || pg_database_size(current_database())"
    database=$(psql "$DATABASE_URL" --no-psqlrc --quiet --tuples-only --no-align --command "$query")
    written=$(awk '/^write_bytes/ { print $2 }' "/proc/$(pid_of rabbitmq)/io")
    sent=$(awk '/^ *lo:/ { sub(/^ *lo:/, ""); print $1 }' /proc/net/dev)
    printf '%s %s %s' "$database" "$written" "$sent"
}

# scenario_report NAME LOAD_JSON CPU_BEFORE CPU_AFTER BYTES_BEFORE BYTES_AFTER PEAK_MIB [AS_JSON]: what was measured, as text or as a
# line of JSON.
scenario_report() {
    python3 - "$@" <<'PYTHON'
import json
import sys

name, path, before, after, bytes_before, bytes_after, peak, as_json = (sys.argv[1:] + [""])[:8]
load = json.load(open(path))
parts = ["processor", "postgres", "rabbitmq", "bank"]
written = [int(b) - int(a) for a, b in zip(bytes_before.split(), bytes_after.split())]
used = [float(b) - float(a) for a, b in zip(before.split(), after.split())]
report = {
    "scenario": name,
    "commands": load["commands"],
    "rate": load["rate"],
    "latency_ms": load["latency_ms"],
    "cpu_us": {part: round(seconds * 1e6 / load["commands"]) for part, seconds in zip(parts, used)},
    "bytes": {
        name: round(count / load["commands"])
        for name, count in zip(["wal", "database", "rabbitmq_written", "loopback"], written)
    },
    "peak_mib": int(peak),
}
if as_json:
    print(json.dumps(report))
else:
    latency, cpu, size = report["latency_ms"], report["cpu_us"], report["bytes"]
    print(
        f'{name}: {load["commands"]} commands, {load["rate"]:.0f} a second; '
        f'p50 {latency["p50"]:.1f} ms, p99 {latency["p99"]:.1f} ms; CPU a command: '
        + ", ".join(f"{part} {cpu[part]} µs" for part in parts)
        + f'; bytes a command: WAL {size["wal"]}, database {size["database"]}, RabbitMQ {size["rabbitmq_written"]}, '
        + f'loopback {size["loopback"]}; processor at most {peak} MiB'
    )
PYTHON
}
