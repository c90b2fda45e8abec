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
        # A message is known as long as it is a dead letter.
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


@step
def a_payment_tells_its_life(window, world):
    ids = world.ids
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
        trace = world.database(
            f"SELECT split_part(traceparent, '-', 2) FROM operations WHERE payment_id = '{ids['refunded']}' LIMIT 1"
        )
        assert trace in page.content()
        page.goto(f"{URL}/console/payments/{ids['declined']}")
        page.get_by_text("declined by the bank: insufficient_funds").wait_for()
        page.goto(f"{URL}/console/payments/{ids['alone']}")
        page.get_by_text("No capture has come for it").wait_for()
        assert page.request.get(f"{URL}/console/payments/{uuid.uuid4()}").status == 404
