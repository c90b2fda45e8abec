"""Signing in, and finding what one looks for."""

import uuid

from access import check_contrast, check_structure
from browser import TOKENS, URL
from steps import step


@step
def signing_in(window, world):
    with window.person() as page:
        page.goto(f"{URL}/console/payments?status=CAPTURED")
        assert "/console/sign-in" in page.url
        check_structure(page, "sign-in", is_signed_in=False)
        check_contrast(page, "sign-in")
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
def overview_lives(window, world):
    """Numbers change by themselves, and nothing else is touched: the focus stays."""
    with window.person("operate") as page:
        page.get_by_role("heading", name="Overview").wait_for()
        page.locator(".alarms").get_by_text("6 operations need manual review.", exact=True).wait_for()
        assert page.locator(".tiles li", has_text="For review").locator(".value").inner_text() == "6"
        assert page.locator("#partitions").locator("..").locator("tbody tr").count() == 8
        assert page.get_by_text("this one").count() == 1
        before = page.locator(".legend strong").first.inner_text()
        link = page.locator("#runbook-manual-review")
        link.focus()
        world.upstream.wait([world.upstream.authorize(str(uuid.uuid4()), "order-live")])
        page.wait_for_function("(b) => document.querySelector('.legend strong').textContent !== b", arg=before)
        assert page.evaluate("document.activeElement.id") == "runbook-manual-review"
        link.click()
        page.wait_for_url("**/guides/operations#manual-review")
        assert page.locator("#manual-review").is_visible()


@step
def every_id_finds_its_payment(window, world):
    payment, database = world.ids["captured"], world.database
    bank = database(f"SELECT bank_capture_id FROM payments WHERE id = '{payment}'")
    dead = database("SELECT id FROM dead_letters WHERE code = 'invalid_command' LIMIT 1")
    with window.person("operate") as page:
        def look_for(text, found):
            page.goto(f"{URL}/console/payments")
            page.get_by_label("Any id").fill(f" {text} ")
            page.keyboard.press("Enter")
            page.wait_for_url(f"**/console/{found}")

        for text in (payment, payment.upper(), "order-captured", "customer-captured", f"capture-{payment}", bank):
            look_for(text, f"payments/{payment}")
        # A message is known when its command is completed, and when it is a dead letter.
        look_for(f"m-capture-{payment}", f"payments/{payment}")
        look_for(f"m-capture-{world.ids['waiting']}", f"payments/{world.ids['waiting']}")
        look_for(dead, f"dead-letters/{dead}")
        page.goto(f"{URL}/console/payments?id=customer-bulk")
        assert page.locator("tbody tr").count() == 50
        page.get_by_role("link", name="Older payments").click()
        page.locator("tbody tr").nth(49).wait_for()
        page.goto(f"{URL}/console/payments?id=nothing-of-this-name")
        page.get_by_text("No payment has the id").wait_for()
        page.goto(f"{URL}/console/payments?status=nonsense")
        page.get_by_role("alert").wait_for()


def fill_in(page, path, fields, choices):
    """The form with the filters of a list, as a person fills it in."""
    page.goto(f"{URL}/console/{path}")
    form = page.locator("form.filters")
    if not form.is_visible():
        page.get_by_text("Filter the list").click()
    for label, text in fields.items():
        form.get_by_label(label, exact=True).fill(text)
    for name, option in choices.items():
        form.locator(f"select[name={name}]").select_option(option)
    form.get_by_role("button", name="Show").click()


@step
def payments_are_filtered_by_a_form(window, world):
    ids = world.ids
    with window.person("operate") as page:
        rows = page.locator("tbody tr")
        fields = {
            "Order": "order-captured", "Customer": "customer-captured", "Merchant": "default",
            "Idempotency key": f"capture-{ids['captured']}", "Created from": "2020-01-01T00:00:00Z",
        }
        fill_in(page, "payments", fields, {"status": "CAPTURED"})
        page.wait_for_url("**order_id=order-captured**")
        assert rows.count() == 1 and rows.get_by_role("link", name=ids["captured"]).is_visible()
        # What was filled in is there to be changed.
        form = page.locator("form.filters")
        assert form.get_by_label("Order", exact=True).input_value() == "order-captured"
        form.locator("select[name=status]").select_option("VOIDED")
        form.get_by_role("button", name="Show").click()
        page.wait_for_url("**status=VOIDED**")
        assert rows.count() == 0
        page.get_by_role("link", name="Clear").click()
        page.wait_for_url("**/console/payments")
        fill_in(page, "payments", {"Message id": f"m-void-{ids['voided']}"}, {"status": "VOIDED"})
        rows.get_by_role("link", name=ids["voided"]).click()
        page.wait_for_url(f"**/console/payments/{ids['voided']}")


@step
def dead_letters_are_filtered_by_a_form(window, world):
    with window.person("operate") as page:
        rows = page.get_by_role("region", name="One by one").locator("tbody tr")
        fields = {"Message, exactly": "type: is missing", "Newer than": "24h"}
        fill_in(page, "dead-letters", fields, {"code": "invalid_command", "state": "open", "operation": "capture"})
        page.get_by_role("link", name="Replay all 90 that match").wait_for()
        assert rows.count() == 50
        page.get_by_role("link", name="Older dead letters").click()
        rows.nth(39).wait_for()
        assert rows.count() == 40
        fill_in(page, "dead-letters", fields, {"code": "invalid_command", "operation": "void"})
        page.wait_for_url("**operation=void**")
        assert rows.count() == 0
        waiting = world.ids["waiting"]
        for label, text in (("Payment", waiting), ("Order of the payment", "order-waiting")):
            fill_in(page, "dead-letters", {label: text}, {})
            page.get_by_role("link", name="Replay all 1 that match").wait_for()
            assert rows.count() == 1 and rows.get_by_role("link", name=waiting).is_visible()


@step
def a_command_is_copied(window, world):
    """Into the clipboard; where there is none, it is selected."""
    address = f"{URL}/console/payments/{world.ids['captured']}"

    def press(page):
        page.goto(address)
        line = page.locator(".command").first
        line.get_by_role("button", name="Copy").click()
        text = line.locator("code").inner_text()
        assert text == f"processor payments show {world.ids['captured']}", text
        return line, text

    with window.person("operate", permissions=("clipboard-read", "clipboard-write")) as page:
        line, text = press(page)
        line.get_by_role("button", name="Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == text
    with window.person("operate") as page:
        # As in a page that came without TLS from another machine.
        page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        line, text = press(page)
        line.get_by_role("button", name="Selected").wait_for()
        assert page.evaluate("window.getSelection().toString()").strip() == text


@step
def a_payment_tells_its_life(window, world):
    ids = world.ids
    with window.person("operate") as page:
        page.goto(f"{URL}/console/payments/{ids['refunded']}")
        timeline = page.locator(".timeline").inner_text()
        for words in (
            "PENDING → AUTHORIZED", "capture: succeeded", "HTTP 200", "REFUNDING → REFUNDED", "refund: notified",
            "authorize: may be sent from now on",
        ):
            assert words in timeline, (words, timeline)
        assert page.get_by_text("It is refunded.").count() == 1
        assert f"processor payments show {ids['refunded']}" in page.content()
        trace = world.database(
            f"SELECT split_part(traceparent, '-', 2) FROM operations WHERE payment_id = '{ids['refunded']}' LIMIT 1"
        )
        assert trace in page.content()
        page.goto(f"{URL}/console/payments/{ids['deferred']}")
        timeline = page.locator(".timeline")
        assert timeline.locator("li", has_text="again after 5s").count() == 1, timeline.inner_text()
        assert "capture: notified" in timeline.inner_text()
        page.goto(f"{URL}/console/payments/{ids['declined']}")
        page.get_by_text("declined by the bank: insufficient_funds").wait_for()
        page.goto(f"{URL}/console/payments/{ids['alone']}")
        page.get_by_text("No capture has come for it").wait_for()
        assert page.request.get(f"{URL}/console/payments/{uuid.uuid4()}").status == 404
