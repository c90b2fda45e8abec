#!/usr/bin/env bash
# libcurl takes a gzip body that ends too early for a whole one.
#
# Guess, before it was run: CURLOPT_ACCEPT_ENCODING makes libcurl decode the body, so a stream without its end is an error, as
# a wrong checksum is (CURLE_BAD_CONTENT_ENCODING, 61).
#
# Seen with libcurl 8.12.1 (from the wheel pycurl 7.45.6): a wrong checksum is error 61, but a stream that lacks its checksum, or
# half of its data, is CURLE_OK with whatever could be decoded, as long as Content-Length matches what was sent. (Where it does not
# match, error 18 tells.) libcurl 7.88.1 does the same.
#
#     whole            result 0, status 200, all
#     wrong checksum   result 61
#     no checksum      result 0, status 200, all
#     half             result 0, status 200, part of it
#
# It matters where something between server and client cuts a compressed body and sets the length anew. Whoever reads money out of
# such a body needs a format that shows its own end: JSON does, lines do not.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pycurl==7.45.6

"$folder/venv/bin/python" - <<'PY' | tee "$folder/seen"
import gzip, io, socket, threading, pycurl

text = b'{"amount":5000,"currency":"USD","status":"approved","id":"a-01"}\n' * 20
whole = gzip.compress(text, mtime=0)
wrong = bytearray(whole)
wrong[-8] ^= 0xFF


def answer_once(body):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    def run():
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.sendall(head + body)
        connection.close()

    threading.Thread(target=run, daemon=True).start()
    return listener.getsockname()[1]


def get(body):
    received = io.BytesIO()
    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, f"http://127.0.0.1:{answer_once(body)}/")
    handle.setopt(pycurl.NOPROXY, "*")
    handle.setopt(pycurl.ACCEPT_ENCODING, "gzip")
    handle.setopt(pycurl.WRITEDATA, received)
    try:
        handle.perform()
    except pycurl.error as error:
        return f"result {error.args[0]}"
    count = len(received.getvalue())
    size = "all" if count == len(text) else "part" if count < len(text) else "more"
    return f"result 0, status {handle.getinfo(pycurl.RESPONSE_CODE)}, {size}"


print(pycurl.version.split()[1])
print("whole:", get(whole))
print("wrong checksum:", get(bytes(wrong)))
print("no checksum:", get(whole[:-8]))
print("half:", get(whole[: len(whole) // 2]))
PY

diff - "$folder/seen" <<'SEEN' || { echo "the behaviour has changed" >&2; exit 1; }
libcurl/8.12.1-DEV
whole: result 0, status 200, all
wrong checksum: result 61
no checksum: result 0, status 200, all
half: result 0, status 200, part
SEEN
echo "as described"
