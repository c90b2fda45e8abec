"""Stands between a processor and the bank simulator, and lets the bank confirm another amount than was asked for.

PORT is its own, BANK_URL the simulator's address. POST /twist {"captures": n}: so many captures are executed, and answered wrongly the
first time; by their key the bank tells the truth afterwards. That is what sends an operation to manual review."""

import json
import os
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

BANK = os.environ["BANK_URL"].rstrip("/")
lock = Lock()
left = 0


class Bank(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.forward(None)

    def do_POST(self):
        global left
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/twist":
            with lock:
                left = json.loads(body)["captures"]
            return self.answer(200, {"Content-Type": "application/json"}, b"{}")
        self.forward(body)

    def forward(self, body):
        headers = {name: self.headers[name] for name in self.headers if name.lower() not in ("host", "connection", "content-length")}
        request = urllib.request.Request(BANK + self.path, body, headers, method=self.command)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, answered, content = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            status, answered, content = error.code, error.headers, error.read()
        if self.path == "/api/v1/captures" and status == 200 and self.takes():
            told = json.loads(content)
            told["amount"] += 1
            content = json.dumps(told).encode()
        self.answer(status, answered, content)

    def takes(self):
        global left
        with lock:
            left -= 1
            return left >= 0

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
