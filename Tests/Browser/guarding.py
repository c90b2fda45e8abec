"""Who must not act cannot: a token that may only look, and the pages of somebody else."""

import re
import threading
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from browser import URL
from pages import pages
from running import a_running_replay_is_stopped
from steps import step

DOCS = Path(__file__).resolve().parents[2] / "docs/console.md"
# They change a visit, and nothing else.
VISIT = {"/console/sign-in", "/console/sign-out"}


def actions(world):
    """Of each action an order that is complete but for who gives it, by its address in docs/console.md."""
    dead = world.database("SELECT id FROM dead_letters WHERE state = 'open' AND code = 'store_unreadable' LIMIT 1")
    found = {
        "/console/payments/{id}/resolve": [(
            f"/console/payments/{world.ids['waiting']}/resolve", {"operation": "capture", "as": "succeeded", "reason": "x"},
        )],
        "/console/dead-letters/replay": [("/console/dead-letters/replay", {"id": dead, "confirm": "1"})],
        "/console/dead-letters/discard": [("/console/dead-letters/discard", {"id": dead, "confirm": "1", "reason": "x"})],
        "/console/replays/{id}/stop": [(f"/console/replays/{world.running}/stop", {})],
        "/console/sweeps/{job}/run": [(f"/console/sweeps/{job}/run", {}) for job in ("reconcile", "expire", "retention")],
        "/console/work/{id}/stop": [(f"/console/work/{world.work}/stop", {})],
    }
    documented = set(re.findall(r"`POST (/console\S*?)`", DOCS.read_text())) - VISIT
    assert documented == found.keys(), documented ^ found.keys()
    return [order for orders in found.values() for order in orders]


def touched(world):
    """All that one of the actions would change. The dead letters of the replay that runs are left out."""
    return world.database(f"""SELECT
        (SELECT string_agg(state || count, ' ') FROM (SELECT state, count(*) AS count FROM dead_letters
            WHERE code <> 'invalid_command' GROUP BY state ORDER BY state) AS s),
        (SELECT count(*) FROM operations WHERE state = 'NEEDS_ATTENTION'), (SELECT count(*) FROM dead_letter_replays),
        (SELECT state FROM dead_letter_replays WHERE id = '{world.running}'),
        (SELECT count(*) FROM sweep_runs WHERE slot IS NULL)""")


def form_token(page):
    page.goto(f"{URL}/console")
    return page.locator("input[name=form]").first.input_value()


@step
def who_may_only_look(window, world):
    before = touched(world)
    with window.person("read") as page:
        refused = []
        for name, path in pages(world).items():
            answer = page.goto(f"{URL}/console{path}")
            if answer.status == 403:
                refused.append(name)
            forms = page.eval_on_selector_all("form[method=post]", "fs => fs.map((f) => f.getAttribute('action'))")
            assert forms == ["/console/sign-out"], (name, forms)
            acting = page.eval_on_selector_all("main a", "links => links.map((a) => a.getAttribute('href')).filter(Boolean)")
            acting = [link for link in acting if re.search(r"/dead-letters/(replay|discard)\?|[?&](dry_run|bank)=", link)]
            assert not acting, (name, acting)
        assert refused == ["review-asked", "resolve", "replay-page", "sweeps-dry-run"], refused
        form = form_token(page)
        for path, fields in actions(world):
            answer = page.request.post(URL + path, form=fields | {"form": form}, headers={"Origin": URL})
            assert answer.status == 403 and "the role operate is needed" in answer.text(), (path, answer.status)
    assert touched(world) == before


class Elsewhere(BaseHTTPRequestHandler):
    """Somebody else's page: a form that sends itself, or a frame."""

    page = ""

    def do_GET(self):
        body = (self.page if self.path == "/" else "<p>a page that may be framed</p>").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def somebody_else():
    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


@step
def a_page_of_somebody_else_cannot_act(window, world):
    before = touched(world)
    with window.person("operate") as page, somebody_else() as port:
        # Even if it had got hold of what only the forms of this visit hold.
        form = form_token(page)
        with window.elsewhere():
            for path, fields in [*actions(world), ("/console/sign-out", {})]:
                inputs = "".join(
                    f'<input name="{name}" value="{escape(value)}">' for name, value in (fields | {"form": form}).items()
                )
                Elsewhere.page = f"""<!doctype html><form method="post" action="{URL}{path}">{inputs}</form>
                    <script>document.forms[0].submit()</script>"""
                # Another site (the cookie stays behind), and another origin of the same site (it comes along).
                for host in ("localhost", "127.0.0.1"):
                    with page.expect_navigation(url=f"**{path}") as navigation:
                        page.goto(f"http://{host}:{port}/")
                    assert navigation.value.status == 403, (path, host, navigation.value.status)
        page.goto(f"{URL}/console")
        page.get_by_role("heading", name="Overview").wait_for()
    assert touched(world) == before


@step
def it_is_shown_in_no_frame(window, world):
    with window.person("operate") as page, somebody_else() as port:
        for host, path in (("127.0.0.1", "/console"), ("127.0.0.1", f"/console/review/{world.ids['waiting']}"), ("localhost", "/console/sign-in")):
            Elsewhere.page = f"""<!doctype html><iframe name="console" src="{URL}{path}"></iframe>
                <iframe name="own" src="/own"></iframe>"""
            with window.elsewhere() as complaints:
                page.goto(f"http://{host}:{port}/")
                assert page.frame("own").get_by_text("a page that may be framed").count() == 1
                assert page.frame("console").url.startswith("chrome-error:"), page.frame("console").url
                assert any("frame-ancestors" in complaint for complaint in complaints), complaints
        # Nor in one of its own.
        page.goto(f"{URL}/console/reference")
        with window.elsewhere() as complaints:
            page.evaluate("""(url) => new Promise((done) => {
                const frame = document.createElement('iframe');
                frame.name = 'console';
                frame.onload = done;
                frame.src = url;
                document.body.append(frame);
            })""", f"{URL}/console")
            assert not page.frame("console").url.startswith(URL), page.frame("console").url


step(a_running_replay_is_stopped)
