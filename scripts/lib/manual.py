#!/usr/bin/env python3
"""manual.py PROGRAM VERSION DATE: the manual page of a program, as troff, from what its `--help` says: the description that
`--experimental-dump-help` prints of the same texts, on standard input."""

import json
import re
import sys


def escaped(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "\\&...")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def prose(text):
    """Paragraphs are filled; what is indented stays as it is. A line in capitals with a colon is a heading."""
    lines = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        rows = block.split("\n")
        if match := re.fullmatch(r"([A-Z][A-Z ]+):(.*)", rows[0]):
            lines += [".PP", f".B {escaped(match[1].capitalize())}:", escaped(match[2].strip())]
            rows = rows[1:]
        if any(row.startswith("  ") for row in rows):
            lines += [".PP", ".nf", *[escaped(row) for row in rows], ".fi"]
        elif rows:
            lines += [".PP", *[escaped(row) for row in rows]]
    return [line for line in lines if line]


def name_of(argument):
    names = []
    for name in argument.get("names") or []:
        dashes = {"short": "-", "long": "--", "longWithSingleDash": "-"}[name["kind"]]
        names.append(f"\\fB{escaped(dashes + name['name'])}\\fR")
    value = f"\\fI{escaped(argument['valueName'])}\\fR"
    if argument["kind"] == "positional":
        return value
    return ", ".join(names) + (f" {value}" if argument["kind"] == "option" else "")


def options(command):
    lines = []
    for argument in command.get("arguments", []):
        # What --help does not show, `--help-configuration` does.
        if argument.get("shouldDisplay", True) and argument["valueName"] not in ("version", "help"):
            text = " ".join(filter(None, (argument.get("abstract"), argument.get("discussion"))))
            lines += [".TP", name_of(argument), escaped(text) or "\\&"]
    return lines


def commands(command, path):
    for sub in command.get("subcommands") or []:
        if sub.get("shouldDisplay", True) and sub["commandName"] != "help":
            yield [*path, sub["commandName"]], sub
            yield from commands(sub, [*path, sub["commandName"]])


def main(program, version, date):
    root = json.load(sys.stdin)["command"]
    page = [
        f'.TH {program.upper()} 1 "{date}" "{program} {version}" "Payment processor"',
        ".SH NAME", f"{program} \\- {escaped(root['abstract'].rstrip('.'))}",
        ".SH SYNOPSIS", f".B {program}",
        "[\\fIcommand\\fR] [\\fIoptions\\fR]" if root.get("subcommands") else "[\\fIoptions\\fR]",
        ".SH DESCRIPTION", *prose(root.get("discussion") or root["abstract"]),
        ".SH OPTIONS", *options(root),
        ".TP", "\\fB\\-\\-version\\fR", "Show the version.", ".TP", "\\fB\\-h\\fR, \\fB\\-\\-help\\fR", "Show the help.",
    ]
    found = list(commands(root, []))
    if found:
        page.append(".SH COMMANDS")
    for path, command in found:
        page += [f".SS {escaped(' '.join(path))}", escaped(command.get("abstract", ""))]
        page += prose(command.get("discussion") or "") + options(command)
    others = {"processor": "publisher", "publisher": "processor", "bank-simulator": "processor"}
    page += [".SH SEE ALSO", f".BR {others[program]} (1),", "/usr/share/doc/payment\\-processor/"]
    print("\n".join(page))


main(*sys.argv[1:])
