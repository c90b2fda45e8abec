"""Whether there is a valid example of each message, and of each answer and order of the admin API, and none holds a card."""

import json
import re

from documents import DOCS, asyncapi, escaped, openapi

SEALED = DOCS.parent / "Tests/Interoperability/sealed-cards.json"
DIGITS = re.compile(r"(?<![0-9a-zA-Z_.-])[0-9](?:[ -]?[0-9]){11,18}(?![0-9a-zA-Z_-])")


def check_messages():
    for name, message in asyncapi.content["components"]["messages"].items():
        examples = message.get("examples", [])
        if not examples:
            yield f"{asyncapi.name}: {name} has no example"
        for number, example in enumerate(examples):
            for part in ("headers", "payload"):
                if part not in example and (part == "payload" or asyncapi.at(f"/components/messages/{name}/headers").keys() != {"type"}):
                    yield f"{asyncapi.name}: {name}, example {number} has no {part}"
                    continue
                for problem in asyncapi.problems(f"/components/messages/{name}/{part}", example.get(part, {})):
                    yield f"{asyncapi.name}: {name}, example {number}, {part}: {problem}"
            yield from (f"{asyncapi.name}: {name}, example {number}: {line}" for line in contradictions(example))


def contradictions(example):
    """What the headers and the body say of the same thing."""
    headers, payload = example.get("headers", {}), example["payload"]
    for header, member in (("payment-id", "payment_id"), ("idempotency-key", "idempotency_key")):
        if header in headers and payload.get(member) not in (None, headers[header]):
            yield f"{header} is not {member}"
    payment = payload.get("payment")
    if payment and payment["id"] != payload["payment_id"]:
        yield "the payment has another id"


def contents():
    """Of each place where something is sent or answered: a name, and what it is, by kind."""
    for path, item in openapi.content["paths"].items():
        for method, operation in item.items():
            if not isinstance(operation, dict):
                continue
            place = f"/paths/{escaped(path)}/{method}"
            for status, answer in operation["responses"].items():
                if "$ref" not in answer:
                    yield f"{method} {path}, {status}", f"{place}/responses/{status}", answer
            if "requestBody" in operation:
                yield f"{method} {path}, its body", f"{place}/requestBody", operation["requestBody"]
    for name, answer in openapi.content["components"]["responses"].items():
        yield name, f"/components/responses/{name}", answer


def check_answers():
    for name, place, holder in contents():
        for kind, media in holder["content"].items():
            if "example" not in media:
                yield f"{openapi.name}: {name} has no example"
                continue
            for problem in openapi.problems(f"{place}/content/{escaped(kind)}/schema", media["example"]):
                yield f"{openapi.name}: {name}, example: {problem}"


def is_card(digits):
    """By the check digit (Luhn)."""
    doubled = [sum(divmod(int(digit) * 2, 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(int(digit) for digit in digits[::-2])) % 10 == 0


def check_cards():
    known = json.loads(SEALED.read_text())
    for document in (asyncapi, openapi):
        for match in DIGITS.finditer(document.text):
            if is_card(re.sub("[ -]", "", match[0])):
                yield f"{document.name}: line {document.text[:match.start()].count(chr(10)) + 1} has what could be the number of a card"
    # What is sealed there can be opened: CoreTests do.
    for number, example in enumerate(asyncapi.content["components"]["messages"]["authorize"]["examples"]):
        payload, headers = example["payload"], example["headers"]
        if payload.get("sealed_card") not in [token["token"] for token in known["tokens"]]:
            yield f"{asyncapi.name}: authorize, example {number}: sealed_card is none of {SEALED.name}"
        if headers["payment-id"] != known["payment_id"]:
            yield f"{asyncapi.name}: authorize, example {number}: its card is sealed for another payment"


def problems():
    yield from check_messages()
    yield from check_answers()
    yield from check_cards()
