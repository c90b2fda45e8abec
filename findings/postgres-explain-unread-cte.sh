#!/usr/bin/env bash
# EXPLAIN (ANALYZE, BUFFERS) of PostgreSQL: the top node of a plan leaves out what a data-modifying CTE has read, where nothing in
# the query reads from the CTE.
#
# Guess, before it was run: the figures of a node include those of all nodes below it, as the manual says, so the top node has the
# blocks of the whole statement, and a test of what a statement costs needs only that one.
#
# Seen with PostgreSQL 16.2 (from the wheel pgserver 0.1.4; 15.20 of Debian 12 does the same), deleting 20,000 rows:
#
#     read by the query      top node has all of them: True
#     not read               top node has all of them: False, it has 0
#
# The executor runs a CTE that nobody reads to its end after the main query, when the figures of the top node are closed. The node
# of the CTE itself, listed below the top node, has the true figure. It matters to whoever bounds the cost of a statement by its
# plan, as tests and alerts do: the work of WITH gone AS (DELETE …) SELECT 1 seems to be free. Take the largest figure of all nodes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pgserver==0.1.4 psycopg2-binary==2.9.10
# The server runs as a user of its own where this is run as root.
chmod 755 "$folder"
mkdir -m 777 "$folder/database"
mkdir -m 700 "$folder/runtime"

XDG_RUNTIME_DIR=$folder/runtime "$folder/venv/bin/python" - "$folder/database" <<'PY' | tee "$folder/seen"
import sys

import pgserver
import psycopg2

server = pgserver.get_server(sys.argv[1])
connection = psycopg2.connect(server.get_uri())
connection.autocommit = True
cursor = connection.cursor()
cursor.execute("CREATE TABLE items (id integer PRIMARY KEY)")
cursor.execute("INSERT INTO items SELECT generate_series(1, 20000)")


def nodes(plan):
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def blocks(node):
    return node["Shared Hit Blocks"] + node["Shared Read Blocks"]


def look(name, query):
    cursor.execute("BEGIN")
    cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT json) WITH gone AS (DELETE FROM items RETURNING id) " + query)
    top = cursor.fetchone()[0][0]["Plan"]
    cursor.execute("ROLLBACK")
    has_all = blocks(top) >= max(blocks(node) for node in nodes(top))
    print(f"{name:<22} top node has all of them: {has_all}" + ("" if has_all else f", it has {blocks(top)}"))


look("read by the query", "SELECT count(*) FROM gone")
look("not read", "SELECT 1")
connection.close()
server.cleanup()
PY

diff "$folder/seen" - <<'EXPECTED' && echo "as described"
read by the query      top node has all of them: True
not read               top node has all of them: False, it has 0
EXPECTED
