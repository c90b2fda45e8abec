#!/usr/bin/env bash
# asyncapi3 (the object model of AsyncAPI 3.0 on PyPI): where a schema may be `true`.
#
# Guess, before it was run: everywhere. The specification says that a Schema Object is an object or a boolean, and that the payload of a
# message is a Schema Object where it names no other format; "payload: true" is the usual way to say "any body".
#
# Seen with asyncapi3 0.0.2, the only one there is, on pydantic 2:
#
#     payload {}: accepted
#     payload {"properties": {"a": true}}: accepted
#     payload true: refused
#
# Below a schema it takes booleans, as the payload itself it does not. Who checks documents with it writes an object with nothing but a
# description. An object of the same meaning is valid for every other tool, too.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check asyncapi3==0.0.2

"$folder/venv/bin/python" - <<'PY' | tee "$folder/seen"
import json
import warnings

warnings.simplefilter("ignore")

from asyncapi3.models.asyncapi import AsyncAPI3
from pydantic import ValidationError

for payload in ({}, {"properties": {"a": True}}, True):
    channel = {"address": "orders", "messages": {"placed": {"payload": payload}}}
    document = {"asyncapi": "3.0.0", "info": {"title": "Orders", "version": "1.0.0"}, "channels": {"orders": channel}}
    try:
        AsyncAPI3.model_validate(document)
        verdict = "accepted"
    except ValidationError:
        verdict = "refused"
    print(f"payload {json.dumps(payload)}: {verdict}")
PY

diff "$folder/seen" - <<'EXPECTED' && echo "as described"
payload {}: accepted
payload {"properties": {"a": true}}: accepted
payload true: refused
EXPECTED
