# shellcheck shell=bash
# Plain HTTP to a local port, with nothing but bash: a fresh machine need not have curl.

# http_get PORT PATH: the whole answer, status line and headers included.
http_get() {
    http_request "$1" GET "$2"
}

# http_request PORT METHOD PATH [JSON [USER:PASSWORD]]: likewise.
http_request() {
    local line more=
    [[ -z ${5:-} ]] || more=$'\r\n'"Authorization: Basic $(printf '%s' "$5" | base64 --wrap 0)"
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf '%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d%s\r\n\r\n%s' \
        "$2" "$3" "$(printf '%s' "${4:-}" | wc -c)" "$more" "${4:-}" >&3
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
