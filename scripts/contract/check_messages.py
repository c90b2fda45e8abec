"""Whether messages and answers of the admin API, as the integration tests have written them down, are as the documents say."""

import base64
import json
import re
import sys
from collections import Counter, defaultdict
from urllib.parse import parse_qsl, unquote

from documents import asyncapi, escaped, openapi, read_json

MESSAGES = asyncapi.content["components"]["messages"]
BY_TYPE = {
    message["bindings"]["amqp"]["messageType"]: name for name, message in MESSAGES.items() if "bindings" in message
}
COMMANDS = {"authorize", "capture", "void", "refund"}
# These between parts of the processor are in queues that no test reads.
INTERNAL = {"deadLetter", "unrouted", "tick", "heartbeat"}
METHODS = {"get", "put", "post", "patch", "delete"}
# The rules that no schema can say: an id must not hold the card's number, a sealed card must be one for this processor, and what it
# takes may be configured.
RULES = (
    "holds the card number of the command",
    "sealed_card: ",
    "card: is not taken here",
    "user_id: is missing",
    "merchant-id: is none that this user",
    "reply_to: must begin with replies.<user>",
)


def name_of(record):
    """Which message it must be; None where nothing is said of its type."""
    place = record.get("queue") or ""
    for end, name in ((".dead-letters", "deadLetter"), (".unrouted", "unrouted")):
        if place.endswith(end):
            return name
    if re.search(r"\.retry\.\w+$", place):
        return "deferred"
    kind = record["properties"].get("type")
    return BY_TYPE.get(kind) if isinstance(kind, str) else None


def message_problems(name, record):
    message, place = MESSAGES[name], f"/components/messages/{name}"
    yield from (f"property {line}" for line in asyncapi.problems(f"{place}/x-amqp-properties", record["properties"]))
    yield from (f"header {line}" for line in asyncapi.problems(f"{place}/headers", record["headers"]))
    if not asyncapi.at(f"{place}/payload").keys() - {"description"}:
        return
    body, rule = base64.b64decode(record["body"]), message.get("x-body", {})
    if len(body) > rule.get("largest", len(body)):
        yield "body: is too long"
        return
    if not body and rule.get("empty"):
        return
    try:
        value = read_json(body)
    except (ValueError, RecursionError) as error:
        yield f"body: is no JSON ({type(error).__name__})"
        return
    yield from (f"body {line}" for line in asyncapi.problems(f"{place}/payload", value))


class Exchange:
    """Commands and the replies to them, by correlation id and key."""

    def __init__(self):
        self.refusals = defaultdict(list)
        self.replies = defaultdict(set)
        self.compared = 0

    @staticmethod
    def name(correlation, key):
        return json.dumps([correlation, key])

    def send(self, record, refusal):
        properties = record["properties"]
        correlation = properties.get("correlation_id", properties.get("message_id"))
        self.refusals[self.name(correlation, record["headers"].get("idempotency-key"))].append(refusal)

    def receive(self, record):
        name = self.name(record["properties"].get("correlation_id"), record["headers"].get("idempotency-key"))
        error = json.loads(base64.b64decode(record["body"])).get("error") or {}
        is_invalid = error.get("code") == "invalid_command"
        self.replies[name].add(error["message"] if is_invalid else None)

    def problems(self):
        for name, answers in self.replies.items():
            refusals = self.refusals.get(name, [])
            self.compared += len(refusals)
            if None in answers and refusals and all(refusals):
                yield f"a command that the schemas refuse ({refusals[0]}) was accepted"
            for words in answers - {None}:
                if refusals and not any(refusals) and not any(rule in words for rule in RULES):
                    yield f"a command that the schemas accept was invalid: {words}"


def parameters(path, item, operation):
    for parameter in item.get("parameters", []) + operation.get("parameters", []):
        yield openapi.at(parameter["$ref"][1:]) if "$ref" in parameter else parameter


def find_path(path):
    """Those without parameters first."""
    for template, item in sorted(openapi.content["paths"].items(), key=lambda pair: pair[0].count("{")):
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]*", template), path):
            return template, item
    return None, {}


def schema_place(operation_place, status):
    holder = openapi.at(f"{operation_place}/responses/{status}")
    if "$ref" in holder:
        return holder["$ref"][1:]
    return f"{operation_place}/responses/{status}"


def exchange_problems(record):
    path, _, query = record["target"].partition("?")
    method, status = record["method"].lower(), str(record["status"])
    template, item = find_path(unquote(path))
    if method not in item:
        if status not in ("401", "403", "404", "405") and method != "head":
            yield f"{status}, and the document does not have it"
        return
    operation, place = item[method], f"/paths/{escaped(template)}/{method}"
    if status not in operation["responses"]:
        yield f"status {status} is not in the document"
        return
    at = schema_place(place, status)
    (kind,) = openapi.at(f"{at}/content")
    given = record["content_type"].partition(";")[0]
    if given != kind:
        yield f"content type {given}, not {kind}"
        return
    if kind == "application/json":
        answer = read_json(base64.b64decode(record["answer"]))
        yield from (f"{status}: {line}" for line in openapi.problems(f"{at}/content/{escaped(kind)}/schema", answer))
    if status.startswith("2"):
        known = {parameter["name"] for parameter in parameters(template, item, operation) if parameter["in"] == "query"}
        for name, _ in parse_qsl(query, keep_blank_values=True):
            if name not in known:
                yield f"the parameter {name} is not in the document"
        if "requestBody" in operation:
            body = read_json(base64.b64decode(record["request"]))
            schema = f"{place}/requestBody/content/application~1json/schema"
            yield from (f"request {line}" for line in openapi.problems(schema, body))


def problems(file, is_complete):
    seen, answers, exchange, succeeded, published = Counter(), Counter(), Exchange(), set(), set()
    with open(file, encoding="utf-8") as lines:
        # What is browsed again and again is the same.
        for line in dict.fromkeys(lines):
            record = json.loads(line)
            if record["kind"] == "http":
                path, _ = find_path(unquote(record["target"].partition("?")[0]))
                answers[f"{record['method']} {path} {record['status']}"] += 1
                if 200 <= record["status"] < 300:
                    succeeded.add((path, record["method"].lower()))
                for problem in exchange_problems(record):
                    yield f"{record['method']} {path}: {problem}"
                continue
            name = name_of(record)
            if record["kind"] == "sent":
                if not record["exchange"].endswith(".commands"):
                    continue
                found = list(message_problems(name, record)) if name in COMMANDS else ["it is no command"]
                exchange.send(record, found[0] if found else None)
                seen[name if not found else "a command that is none, on purpose"] += 1
                continue
            seen[name] += 1
            # Out of a command queue: what publisher has put there.
            if name in COMMANDS:
                published.add(name)
            if name is None:
                yield f"received: a message whose type is in no document, from {record['queue']}"
                continue
            found = list(message_problems(name, record))
            yield from (f"received: {name}: {problem}" for problem in found)
            if name.endswith("Result") and not found:
                exchange.receive(record)
    yield from exchange.problems()
    if is_complete:
        for name in MESSAGES.keys() - INTERNAL - seen.keys():
            yield f"no {name} was sent or received"
        for name in COMMANDS - published:
            yield f"no {name} of publisher was received"
        for path, item in openapi.content["paths"].items():
            for method in item.keys() & METHODS:
                if (path, method) not in succeeded:
                    yield f"{method.upper()} {path} was never answered with a 2xx"
    total = sum(seen.values())
    kinds = ", ".join(f"{count} {name}" for name, count in seen.most_common())
    print(
        f"{total} messages ({kinds}), {exchange.compared} commands with their replies, and {sum(answers.values())} answers of "
        f"{len(answers)} kinds are compared with the documents",
        file=sys.stderr,
    )
