"""docs/asyncapi.yaml and docs/openapi.yaml, and validators for what they describe."""

import json
import re
from functools import cache
from pathlib import Path

import yaml
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7, DRAFT202012

DOCS = Path(__file__).resolve().parents[2] / "docs"


class NoInteger(float):
    """A number that is not written with digits only, such as 5000.0 or 5e3."""


def read_json(data):
    """JSON as the processor reads it: UTF-8, no name twice. Raises ValueError."""

    def members(pairs):
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a name is there twice")
        return found

    def refused(token):
        raise ValueError(f"{token} is no JSON")

    return json.loads(data.decode(), object_pairs_hook=members, parse_float=NoInteger, parse_constant=refused)


def is_integer(_, value):
    return isinstance(value, int) and not isinstance(value, bool)


def pattern(_, wanted, value, __):
    # Of Python, `$` takes a line break at the end as well; that of JSON Schema does not.
    if isinstance(value, str) and not re.search(re.sub(r"\$$", r"\\Z", wanted), value):
        yield ValidationError(f"does not match {wanted}")


def strict(base):
    """By the rules that the documents give beyond JSON Schema: integers are written with digits only."""
    return extend(base, {"pattern": pattern}, type_checker=base.TYPE_CHECKER.redefine("integer", is_integer))


class Document:
    def __init__(self, name, base, specification):
        self.name = name
        self.text = (DOCS / name).read_text()
        self.content = yaml.safe_load(self.text)
        self.base = base
        self.kind = strict(base)
        self.registry = Registry().with_resource(name, Resource(self.content, specification))

    @cache
    def validator(self, pointer):
        """Of the schema at a JSON pointer of the document."""
        return self.kind({"$ref": f"{self.name}#{pointer}"}, registry=self.registry, format_checker=FormatChecker())

    def problems(self, pointer, value):
        """What is wrong with a value, without the value: it may be a card."""
        for error in self.validator(pointer).iter_errors(value):
            yield from self._lines(error)

    def _lines(self, error):
        place = "/".join(str(part) for part in error.absolute_path) or "it"
        rule = "/".join(str(part) for part in list(error.absolute_schema_path)[-2:])
        # Of alternatives, the one that came furthest.
        if error.context:
            branches = {}
            for inner in error.context:
                branches.setdefault(inner.schema_path[0], []).append(inner)
            for inner in min(branches.values(), key=len):
                yield from self._lines(inner)
        elif error.validator == "additionalProperties":
            yield f"{place}: {error.message}"
        elif error.validator == "required":
            yield f"{place}: {error.message.split(' ')[0]} is missing"
        else:
            yield f"{place}: breaks {rule}: {json.dumps(error.validator_value)[:120]}"

    def at(self, pointer):
        value = self.content
        for part in pointer.split("/")[1:]:
            value = value[part.replace("~1", "/").replace("~0", "~")]
        return value

    def references(self):
        waiting = [self.content]
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict):
                if isinstance(value.get("$ref"), str):
                    yield value["$ref"]
                waiting += value.values()
            elif isinstance(value, list):
                waiting += value


asyncapi = Document("asyncapi.yaml", Draft7Validator, DRAFT7)
openapi = Document("openapi.yaml", Draft202012Validator, DRAFT202012)


def escaped(name):
    return name.replace("~", "~0").replace("/", "~1")
