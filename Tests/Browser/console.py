"""The console as a person uses it. Called by scripts/test-console, which has started everything."""

import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import contract
import stage
from browser import TOKENS, URL, browser, check_access, check_keyboard, shot
from stage import eventually

ROOT = Path(__file__).resolve().parents[2]
LARGE = "--large" in sys.argv
SHOTS = str(ROOT / "docs/console") if "--screenshots" in sys.argv else os.environ["SHOTS"]
CAUSE = "store refused (42501 insufficient_privilege)"
database = stage.Database(os.environ["DATABASE_URL"])
steps = []
# From the request to the last byte.
TIMING = "(() => { const t = performance.getEntriesByType('navigation')[0]; return t.responseEnd - t.requestStart })()"


def step(work):
    steps.append(work)
    return work


def value(page, name):
    """Of a tile of the overview."""
    return page.locator(".tiles li", has_text=name).locator(".value").inner_text()


@step
def signing_in(window, ids, upstream):
    with window.person() as page:
        page.goto(f"{URL}/console/payments?status=CAPTURED")
        assert "/console/sign-in" in page.url
        check_access(page, "sign-in")
        page.get_by_label("Admin token").fill("no-token-of-anybody")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("alert").get_by_text("That is no token").wait_for()
        page.get_by_label("Admin token").fill(TOKENS["operate"])
        page.keyboard.press("Enter")
        page.wait_for_url("**/console/payments?status=CAPTURED")
        cookie = next(c for c in page.context.cookies() if c["name"] == "console-session")
        assert cookie["httpOnly"] and cookie["sameSite"] == "Strict" and len(cookie["value"]) == 64, cookie
        page.get_by_role("button", name="Sign out").click()
        page.goto(f"{URL}/console")
        assert "/console/sign-in" in page.url


@step
def overview_lives(window, ids, upstream):
    """Numbers change by themselves, and nothing else is touched: the focus stays."""
    with window.person("operate") as page:
        page.get_by_role("heading", name="Overview").wait_for()
        page.locator(".alarms").get_by_text("2 operations need manual review.", exact=True).wait_for()
        assert value(page, "For review") == "2"
        assert page.locator("#partitions").locator("..").locator("tbody tr").count() == 8
        assert page.get_by_text("this one").count() == 1
        before = page.locator(".legend strong").first.inner_text()
        link = page.locator("#runbook-manual-review")
        link.focus()
        upstream.authorize(str(stage.uuid.uuid4()), "order-live")
        upstream.wait(1)
        page.wait_for_function("(b) => document.querySelector('.legend strong').textContent !== b", arg=before)
        assert page.evaluate("document.activeElement.id") == "runbook-manual-review"
        link.click()
        page.wait_for_url("**/guides/operations#manual-review")
        assert page.locator("#manual-review").is_visible()


@step
def every_id_finds_its_payment(window, ids, upstream):
    payment = ids["captured"]
    bank = database(f"SELECT bank_capture_id FROM payments WHERE id = '{payment}'")
    dead = database("SELECT id FROM dead_letters WHERE code = 'invalid_command' LIMIT 1")
    with window.person("operate") as page:
        for text in (payment, payment.upper(), "order-captured", "customer-captured", f"capture-{payment}", bank):
            page.goto(f"{URL}/console/payments")
            page.get_by_label("Any id").fill(f" {text} ")
            page.keyboard.press("Enter")
            page.wait_for_url(f"**/console/payments/{payment}")
        page.goto(f"{URL}/console/payments?id={dead}")
        page.wait_for_url(f"**/console/dead-letters/{dead}")
        page.goto(f"{URL}/console/payments?id=customer-bulk")
        assert page.locator("tbody tr").count() == 50
        page.get_by_role("link", name="Older payments").click()
        page.locator("tbody tr").nth(49).wait_for()
        page.goto(f"{URL}/console/payments?id=nothing-of-this-name")
        page.get_by_text("No payment has the id").wait_for()
        page.goto(f"{URL}/console/payments?status=nonsense")
        page.get_by_role("alert").wait_for()


@step
def a_payment_tells_its_life(window, ids, upstream):
    with window.person("operate") as page:
        page.goto(f"{URL}/console/payments/{ids['refunded']}")
        timeline = page.locator(".timeline").inner_text()
        for words in (
            "PENDING → AUTHORIZED", "capture: succeeded", "HTTP 200", "REFUNDING → REFUNDED", "refund: notified",
            "authorize: first sent",
        ):
            assert words in timeline, (words, timeline)
        assert page.get_by_text("It is refunded.").count() == 1
        assert f"processor payments show {ids['refunded']}" in page.content()
        trace = database(f"SELECT split_part(traceparent, '-', 2) FROM operations WHERE payment_id = '{ids['refunded']}' LIMIT 1")
        assert trace in page.content()
        page.goto(f"{URL}/console/payments/{ids['declined']}")
        page.get_by_text("declined by the bank: insufficient_funds").wait_for()
        page.goto(f"{URL}/console/payments/{ids['alone']}")
        page.get_by_text("No capture has come for it").wait_for()
        assert page.request.get(f"{URL}/console/payments/{stage.uuid.uuid4()}").status == 404


@step
def tour_of_a_fresh_user(window, ids, upstream):
    """With the console alone: why order X is not captured, 500 dead letters of one cause, and a review."""
    begun = time.monotonic()
    with window.person("operate") as page:
        # Somebody asks why their order is not captured.
        page.get_by_role("link", name="Payments", exact=True).click()
        page.get_by_label("Any id").fill("order-review")
        page.get_by_role("button", name="Find").click()
        page.get_by_text("The capture needs manual review").wait_for()
        page.get_by_role("link", name="Review the capture").click()
        page.get_by_text("another amount").first.wait_for()
        assert page.get_by_text("not asked").count() == 2
        page.get_by_role("link", name="Ask the bank").click()
        page.get_by_text("The bank has executed it as cap_").first.wait_for()
        page.get_by_text("status approved").wait_for()
        shot(page, "review", SHOTS)
        # What the bank contradicts is refused.
        page.get_by_label("It has").select_option("failed")
        page.get_by_label("Reason").fill("ticket 4711")
        page.get_by_role("button", name="See what would be done").click()
        page.get_by_text("This is refused").wait_for()
        page.get_by_role("link", name="Back to the review").click()
        page.get_by_label("Reason").fill("ticket 4711")
        page.get_by_role("button", name="See what would be done").click()
        page.get_by_text("the payment is CAPTURED").wait_for()
        assert "--as succeeded --reason 'ticket 4711' --confirm" in page.content()
        shot(page, "resolve", SHOTS)
        state = f"SELECT state FROM operations WHERE payment_id = '{ids['review']}' AND kind = 'capture'"
        assert database(state) == "NEEDS_ATTENTION"
        page.get_by_role("button", name="Resolve it as succeeded").click()
        page.get_by_text("is resolved as succeeded").wait_for()
        page.locator(".state", has_text="CAPTURED").first.wait_for()
        assert database(state) == "SUCCEEDED"
        page.get_by_text("ticket 4711").first.wait_for()
        assert "ada" in page.locator(".timeline").inner_text()
        # Five hundred of one cause.
        page.get_by_role("link", name="Dead letters").click()
        shot(page, "dead-letters", SHOTS)
        row = page.locator("tr", has_text=CAUSE).first
        assert row.locator("td").first.inner_text() == "500"
        row.get_by_role("link", name="Replay").click()
        page.get_by_role("heading", name="500 dead letters selected").wait_for()
        page.get_by_role("link", name="Dry run").click()
        page.locator("p", has_text="500 would be replayed, 0 skipped").wait_for()
        assert f"--message '{CAUSE}' --confirm 500" in page.content()
        shot(page, "replay-confirm", SHOTS)
        page.get_by_role("button", name="Replay 500 dead letters").click()
        page.wait_for_url("**/console/replays/*")
        page.get_by_role("heading", name="finished").wait_for()
        page.get_by_text("500 replayed, 0 skipped, 0 failed").wait_for()
        shot(page, "replay", SHOTS)
    print(f"the tour of a fresh user took {time.monotonic() - begun:.1f} s")
    eventually(
        "all 500 are captured",
        lambda: database("SELECT count(*) FROM payments WHERE status = 'CAPTURED' AND customer_id = 'customer-bulk'") == "500",
    )


@step
def what_runs_survives_its_page_and_can_be_stopped(window, ids, upstream):
    with window.person("operate") as page:
        page.goto(f"{URL}/console/dead-letters/replay?code=invalid_command")
        page.get_by_label("At most so many a second").fill("nonsense")
        page.get_by_role("button", name="Replay 40").click()
        page.get_by_role("alert").wait_for()
        page.get_by_label("At most so many a second").fill("1")
        page.get_by_role("button", name="Replay 40").click()
        page.wait_for_url("**/console/replays/*")
        address = page.url
    with window.person("operate") as page:
        page.goto(address)
        page.get_by_role("heading", name="running").wait_for()
        page.wait_for_function("() => document.querySelector('progress').value > 0")
        shot(page, "replay-running", SHOTS)
        page.get_by_role("button", name="Stop it").click()
        page.get_by_role("heading", name="stopped").wait_for()
        page.get_by_text("Stopped by").wait_for()
        page.goto(f"{URL}/console/replays")
        assert page.locator("tbody tr").count() == 2
        # The command of another person has changed the number meanwhile.
        page.goto(f"{URL}/console/dead-letters/discard?code=invalid_command")
        database("""UPDATE dead_letters SET state = 'discarded', closed_at = now() WHERE id = (
            SELECT id FROM dead_letters WHERE code = 'invalid_command' AND state = 'open' LIMIT 1)""")
        page.get_by_label("Reason").fill("sent again, ticket 4712")
        page.get_by_role("button", name="Discard").click()
        page.get_by_text("The selection has changed").wait_for()
        page.get_by_role("button", name="Discard").click()
        page.wait_for_url("**/console/work/*")
        page.get_by_role("heading", name="finished").wait_for()
        page.goto(f"{URL}/console/audit")
        assert page.locator("tr", has_text="sent again, ticket 4712").first.get_by_text("ada").is_visible()
        shot(page, "audit", SHOTS)
        left = "SELECT count(*) FROM dead_letters WHERE state = 'open' AND code = 'invalid_command'"
        # What the stopped replay had sent comes back as new dead letters.
        eventually("the replayed ones have failed again", lambda: int(database(left)) >= 0)


@step
def sweeps_run(window, ids, upstream):
    with window.person("operate") as page:
        page.goto(f"{URL}/console/sweeps")
        page.get_by_role("link", name="Dry run of reconcile").click()
        page.get_by_text("nothing was done").wait_for()
        shot(page, "sweeps", SHOTS)
        page.locator("form[action$='/retention/run'] button").click()
        page.wait_for_url("**/console/work/*")
        page.get_by_role("heading", name="finished").wait_for()
        page.get_by_text("processor sweeps run retention").wait_for()
        page.get_by_role("link", name="Sweeps").first.click()
        page.locator("tr", has_text="by hand").first.wait_for()


@step
def some_are_chosen_one_by_one(window, ids, upstream):
    for _ in range(3):
        upstream.fail("void", str(stage.uuid.uuid4()), "unpublishable", "no queue takes it")
    eventually("three more", lambda: database("SELECT count(*) FROM dead_letters WHERE code = 'unpublishable'") == "3")
    with window.person("operate") as page:
        page.goto(f"{URL}/console/dead-letters?code=unpublishable")
        boxes = page.locator("input[name=id]")
        boxes.nth(0).check()
        boxes.nth(2).check()
        page.get_by_role("button", name="Discard the selected").click()
        page.get_by_role("heading", name="2 dead letters selected").wait_for()
        page.get_by_label("Reason").fill("a test's")
        page.get_by_role("button", name="Discard 2 dead letters").click()
        page.get_by_role("heading", name="finished").wait_for()
        assert database("SELECT count(*) FROM dead_letters WHERE code = 'unpublishable' AND state = 'open'") == "1"


@step
def who_may_only_look(window, ids, upstream):
    dead = database("SELECT id FROM dead_letters WHERE state = 'open' LIMIT 1")
    with window.person("read") as page:
        for path in ("", "/dead-letters", f"/dead-letters/{dead}", "/sweeps", f"/review/{ids['failed']}?operation=capture-{ids['failed']}"):
            page.goto(f"{URL}/console{path}")
            forms = page.eval_on_selector_all("form[method=post]", "fs => fs.map((f) => f.getAttribute('action'))")
            assert forms == ["/console/sign-out"], (path, forms)
        form = page.locator("input[name=form]").first.input_value()
        for path, fields in {
            "/dead-letters/discard": {"id": dead, "confirm": "1", "reason": "x"},
            "/dead-letters/replay": {"id": dead, "confirm": "1"},
            "/sweeps/retention/run": {},
            f"/payments/{ids['failed']}/resolve": {"operation": "capture", "as": "failed", "reason": "x"},
        }.items():
            answer = page.request.post(f"{URL}/console{path}", form=fields | {"form": form})
            assert answer.status == 403, (path, answer.status)
        assert database(f"SELECT state FROM dead_letters WHERE id = '{dead}'") == "open"


class Evil(BaseHTTPRequestHandler):
    """Somebody else's page, with a form that sends itself."""

    target = ""

    def do_GET(self):
        body = f"""<!doctype html><form method="post" action="{self.target}">
            <input name="confirm" value="1"><input name="all" value="1"><input name="reason" value="evil"></form>
            <script>document.forms[0].submit()</script>""".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@step
def a_page_of_somebody_else_cannot_act(window, ids, upstream):
    server = HTTPServer(("127.0.0.1", 0), Evil)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Evil.target = f"{URL}/console/dead-letters/discard"
    before = database("SELECT count(*) FROM dead_letters WHERE state = 'open'")
    with window.person("operate") as page:
        complaints = list(window.complaints)
        # Another site (the cookie stays behind), and another origin of the same site (it comes along).
        for host, status in (("localhost", 403), ("127.0.0.1", 403)):
            with page.expect_navigation(url="**/console/dead-letters/discard") as navigation:
                page.goto(f"http://{host}:{server.server_port}/")
            assert navigation.value.status == status, navigation.value.status
        # In a frame it is not shown.
        page.goto(f"{URL}/console/reference")
        window.complaints[:] = complaints
    assert database("SELECT count(*) FROM dead_letters WHERE state = 'open'") == before
    server.shutdown()


def pages(ids):
    dead = database("SELECT id FROM dead_letters WHERE code = 'needs_attention' ORDER BY state DESC LIMIT 1")
    replay = database("SELECT id FROM dead_letter_replays ORDER BY created_at LIMIT 1")
    return {
        "overview": "", "payments": "/payments", "payment": f"/payments/{ids['refunded']}",
        "payment-in-review": f"/payments/{ids['failed']}", "found": "/payments?id=customer-bulk",
        "filtered": "/payments?status=CAPTURED&since=2020-01-01T00:00:00Z", "reviews": "/review",
        "review-item": f"/review/{ids['failed']}?operation=capture-{ids['failed']}", "list": "/dead-letters",
        "list-filtered": "/dead-letters?code=store_refused&state=all", "dead": f"/dead-letters/{dead}",
        "replay-page": "/dead-letters/replay?code=store_refused&state=all", "replays": "/replays",
        "replay-done": f"/replays/{replay}", "sweeps-page": "/sweeps", "audit-page": "/audit",
        "runbook": "/guides/runbook", "operations": "/guides/operations", "reference": "/reference",
        **contract.PAGES,
    }


@step
def the_contract_is_there_to_read(window, ids, upstream):
    contract.check(window)


@step
def every_page_is_for_everybody(window, ids, upstream):
    """At 1280 and 400 pixels, light and dark, by keyboard, with labels and headings."""
    for width, dark in ((1280, False), (1280, True), (400, False), (400, True)):
        with window.person("operate", width=width, dark=dark) as page:
            for name, path in pages(ids).items():
                page.goto(URL + "/console" + path)
                check_access(page, f"{name} at {width}")
                if width == 1280 and not dark and name not in ("runbook", "operations", *contract.PAGES):
                    seen = check_keyboard(page, name)
                    assert "main" in seen[0], seen[0]
            kind = f"{width}{'-dark' if dark else ''}"
            for name, path in (("overview", ""), ("payment", f"/payments/{ids['failed']}")):
                page.goto(URL + "/console" + path)
                page.wait_for_load_state()
                shot(page, f"{name}-{kind}", SHOTS)
    with window.person("operate") as page:
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


@step
def without_javascript(window, ids, upstream):
    with window.person("operate", javascript=False) as page:
        assert page.get_by_text("1 operation needs manual review.", exact=True).count() == 1
        for name, path in pages(ids).items():
            answer = page.goto(URL + "/console" + path)
            assert answer.status == 200, (name, answer.status)
        page.goto(f"{URL}/console/dead-letters?code=unpublishable")
        page.get_by_role("link", name="Discard all 1").click()
        page.get_by_label("Reason").fill("without a script")
        page.get_by_role("button", name="Discard 1 dead letter").click()
        page.get_by_text("Discarding 1 dead letter").wait_for()


def measure(window, ids):
    """How long each page takes, from the request to its last byte."""
    stage.many(database, 10_000)
    times = {}
    with window.person("operate") as page:
        for name, path in pages(ids).items():
            for _ in range(3):
                page.goto(URL + "/console" + path)
                took = page.evaluate(TIMING)
                times.setdefault(name, []).append(took)
        page.goto(f"{URL}/console/payments?id=customer-bulk")
        link = page.get_by_role("link", name="Older payments")
        for _ in range(3):
            link.click()
            page.wait_for_load_state()
            times.setdefault("next page", []).append(page.evaluate(TIMING))
        # Where hardly any of those that are read match, and the work before 10,000 are replayed.
        for name, path in {"rare": "/payments?status=EXPIRED", "all of them": "/dead-letters/replay?all=1"}.items():
            page.goto(URL + "/console" + path)
            times[name] = [page.evaluate(TIMING)]
        begun = time.monotonic()
        page.goto(f"{URL}/console/dead-letters/replay?all=1&dry_run=1")
        print(f"a dry run of all took {time.monotonic() - begun:.1f} s")
    counts = database("SELECT (SELECT count(*) FROM payments) || ' payments, ' || (SELECT count(*) FROM dead_letters) || ' dead letters'")
    print(f"with {counts}:")
    slow = []
    for name, taken in times.items():
        print(f"  {name:20} {min(taken):7.0f} to {max(taken):4.0f} ms")
        if min(taken) >= 300:
            slow.append(name)
    assert not slow, f"slower than 300 ms: {slow}"


def main():
    upstream, ids = stage.set_up(os.environ["AMQP_URL"], database, os.environ["BANK_URL"])
    stage.five_hundred_of_one_cause(upstream, database)
    with browser() as window:
        for work in steps:
            begun = time.monotonic()
            upstream.connection.process_data_events(0)
            work(window, ids, upstream)
            window.check()
            print(f"ok  {work.__name__.replace('_', ' ')} ({time.monotonic() - begun:.1f} s)", flush=True)
        if LARGE:
            measure(window, ids)
    print(f"{len(steps)} passed, 0 failed")


if __name__ == "__main__":
    main()
