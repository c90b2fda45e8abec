"""Stands between a processor and the bank simulator, and lets the bank confirm another amount than was asked for, which sends an
operation to manual review.

PORT is its own, BANK_URL the simulator's address. POST /twist {"path": "captures", "times": n, "how": …}: so many requests are
answered wrongly the first time, and how it is with them afterwards:

- executed: they were, and by their key the bank tells the truth;
- forgotten: they were, and the bank does not know their keys any more, as a day later;
- refused: nothing was done, and nobody knows their keys;
- unavailable: nothing was done, and that is what the answer says (500).

GET /twisted: the ids under which the bank has executed some, as they stand on its statement."""

import json
import os
import urllib.error
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

BANK = os.environ["BANK_URL"].rstrip("/")
lock = Lock()
twists = []
forgotten = set()
twisted = []
# What the bank calls what it has done.
IDS = {"authorizations": "authorization_id", "captures": "capture_id"}


class Bank(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/twisted":
            with lock:
                return self.answer(200, {"Content-Type": "application/json"}, json.dumps(twisted).encode())
        self.forward(None)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/twist":
            order = json.loads(body)
            with lock:
                twists.extend([(f"/api/v1/{order['path']}", order["how"])] * order["times"])
            return self.answer(200, {"Content-Type": "application/json"}, b"{}")
        how = self.take_twist()
        if how == "refused":
            # As if it had been executed, with another amount.
            name, asked = IDS[self.path.rsplit("/", 1)[1]], json.loads(body)
            told = {name: f"cap_{uuid.uuid4()}", "status": "captured", "currency": "USD", "captured_at": "2026-01-01T00:00:00Z"}
            content = json.dumps(asked | told | {"amount": asked["amount"] + 1}).encode()
            return self.answer(200, {"Content-Type": "application/json"}, content)
        if how == "unavailable":
            return self.answer(500, {"Content-Type": "application/json"}, b'{"error": "internal_error"}')
        self.forward(body, how)

    def take_twist(self):
        """How the answer to this request is to be wrong; None where it is not."""
        with lock:
            for number, (path, how) in enumerate(twists):
                if path == self.path:
                    del twists[number]
                    return how
        return None

    def forward(self, body, how=None):
        headers = {name: self.headers[name] for name in self.headers if name.lower() not in ("host", "connection", "content-length")}
        key = self.headers.get("Idempotency-Key")
        with lock:
            if key in forgotten:
                headers["Idempotency-Key"] = f"{key}-a-day-later"
        request = urllib.request.Request(BANK + self.path, body, headers, method=self.command)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, answered, content = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            status, answered, content = error.code, error.headers, error.read()
        if how and status == 200:
            told = json.loads(content)
            with lock:
                twisted.append(told[IDS[self.path.rsplit("/", 1)[1]]])
                if how == "forgotten":
                    forgotten.add(key)
            told["amount"] += 1
            content = json.dumps(told).encode()
        self.answer(status, answered, content)

    def answer(self, status, headers, content):
        self.send_response_only(status)
        for name in headers:
            if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                self.send_header(name, headers[name])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


if __name__ == "__main__":
    Server(("127.0.0.1", int(os.environ["PORT"])), Bank).serve_forever()
