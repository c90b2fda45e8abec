# shellcheck shell=bash
# Plain HTTP to a local port, with nothing but bash: a fresh machine need not have curl.

# http_get PORT PATH: the whole answer, status line and headers included.
http_get() {
    local line
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' "$2" >&3
    while IFS= read -r -t 5 line <&3 || [[ -n $line ]]; do
        printf '%s\n' "${line%$'\r'}"
        line=
    done
    exec 3>&-
}

# Whether GET answers 200.
is_healthy() {
    [[ $( (http_get "$1" "$2") 2>/dev/null) == 'HTTP/1.'[01]' 200'* ]]
}
