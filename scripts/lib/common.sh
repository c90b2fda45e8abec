# shellcheck shell=bash
# What every script here starts from: where the clone is, and how to talk to the person who called.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
readonly root

# Progress and results for people; standard output is left for data.
say() {
    printf '%s\n' "$*" >&2
}

# One line that says what is wrong and the way out, then the end.
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# left_out WHAT…: says that something is not done here. In CI (.ci/run) all is there that it needs, and it is a failure.
left_out() {
    say "$*"
    [[ -z ${CI_STARTED:-} ]]
}

# The path as a person in the clone would type it.
shown() {
    printf '%s' "${1#"$root"/}"
}
