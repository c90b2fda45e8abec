"""Whether the two documents are what they say they are, with examples of everything, and whether they agree."""

from asyncapi3.models.asyncapi import AsyncAPI3
from jsonschema.exceptions import SchemaError
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import ValidationError

import check_examples
from documents import asyncapi, openapi


def check_references(document):
    used = set(document.references())
    for reference in used:
        try:
            if not reference.startswith("#/"):
                raise KeyError
            document.at(reference[1:])
        except (KeyError, TypeError):
            yield f"{document.name}: {reference} leads nowhere"
    for kind in document.content["components"]:
        for name in document.content["components"][kind]:
            # Of a security scheme, OpenAPI gives the name alone.
            if f"#/components/{kind}/{name}" not in used and (document is asyncapi or kind != "securitySchemes"):
                yield f"{document.name}: components/{kind}/{name} is used nowhere"


def check_schema(document, pointer):
    try:
        document.base.check_schema(document.at(pointer))
    except SchemaError as error:
        yield f"{document.name}#{pointer}: {error.message}"


def check_asyncapi():
    try:
        AsyncAPI3.model_validate(asyncapi.content)
    except ValidationError as error:
        for problem in error.errors():
            # Wherever a reference may stand instead, what is wrong is said of both.
            if "Reference" not in problem["loc"]:
                yield f"{asyncapi.name}: {'/'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
    for name in asyncapi.content["components"]["messages"]:
        place = f"/components/messages/{name}"
        for part in ("headers", "payload", "x-amqp-properties"):
            yield from check_schema(asyncapi, f"{place}/{part}")


def check_openapi():
    for error in OpenAPIV31SpecValidator(openapi.content).iter_errors():
        yield f"{openapi.name}: {'/'.join(str(part) for part in error.absolute_path)}: {error.message}"


def without_words(schema):
    if isinstance(schema, dict):
        return {name: without_words(value) for name, value in schema.items() if name != "description"}
    if isinstance(schema, list):
        return [without_words(value) for value in schema]
    return schema


def check_agreement():
    ours, theirs = (document.content["components"]["schemas"] for document in (asyncapi, openapi))
    pairs = {name: (ours[name], theirs[name]) for name in ours.keys() & theirs.keys()}
    payment = {name: value for name, value in ours["Payment"].items() if name != "additionalProperties"}
    pairs["Payment, PaymentMembers"] = (payment, theirs["PaymentMembers"])
    for name, (one, other) in pairs.items():
        if without_words(one) != without_words(other):
            yield f"{asyncapi.name} and {openapi.name} differ in the schema {name}"


def problems():
    for document in (asyncapi, openapi):
        yield from check_references(document)
        for name in document.content["components"]["schemas"]:
            yield from check_schema(document, f"/components/schemas/{name}")
    yield from check_asyncapi()
    yield from check_openapi()
    yield from check_agreement()
    yield from check_examples.problems()
