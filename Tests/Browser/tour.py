"""A fresh user: why is order X not captured, five hundred dead letters of one cause, and a review. With the console alone."""

import time

from browser import shot
from stage import REFUSED, eventually
from steps import step

# A person reads and decides before each step.
SECONDS_A_STEP = 10


class Tourist:
    """Uses links, buttons and fields, and never the address bar."""

    def __init__(self, page):
        self.page = page
        self.steps = 0
        page.goto = None

    def follow(self, name, inside=None):
        self.steps += 1
        (inside or self.page).get_by_role("link", name=name).first.click()

    def press(self, name):
        self.steps += 1
        self.page.get_by_role("button", name=name).click()

    def write(self, label, text):
        self.steps += 1
        self.page.get_by_label(label).fill(text)

    def choose(self, label, option):
        self.steps += 1
        self.page.get_by_label(label).select_option(option)

    def sees(self, words):
        self.page.get_by_text(words).first.wait_for()


@step
def tour_of_a_fresh_user(window, world):
    with window.person("operate") as page:
        begun = time.monotonic()
        tourist = Tourist(page)
        order_is_not_captured(tourist)
        assert tourist.steps == 3, tourist.steps
        review_is_resolved(tourist, world)
        assert tourist.steps <= 13, tourist.steps
        five_hundred_are_replayed(tourist)
        assert tourist.steps <= 17, tourist.steps
        took = time.monotonic() - begun
    minutes, seconds = divmod(round(took + SECONDS_A_STEP * tourist.steps), 60)
    print(
        f"the tour of a fresh user: {tourist.steps} steps, {took:.1f} s of the console; "
        f"{minutes} min {seconds} s for who takes {SECONDS_A_STEP} s for each step"
    )
    assert took + SECONDS_A_STEP * tourist.steps < 300, "the tour takes longer than five minutes"
    captured = "SELECT count(*) FROM payments WHERE status = 'CAPTURED' AND customer_id = 'customer-bulk'"
    eventually("all 500 are captured", lambda: world.database(captured) == "500")


def order_is_not_captured(tourist):
    tourist.follow("Payments")
    tourist.write("Any id", "order-review")
    tourist.press("Find")
    tourist.sees("The capture needs manual review")


def review_is_resolved(tourist, world):
    page = tourist.page
    tourist.follow("Review the capture")
    tourist.sees("another amount")
    assert page.get_by_text("not asked").count() == 2
    tourist.follow("Ask the bank")
    tourist.sees("The bank has executed it as cap_")
    tourist.sees("status approved")
    shot(page, "review")
    # What the bank contradicts is refused.
    tourist.choose("It has", "failed")
    tourist.write("Reason", "ticket 4711")
    tourist.press("See what would be done")
    tourist.sees("This is refused")
    tourist.follow("Back to the review")
    tourist.write("Reason", "ticket 4711")
    tourist.press("See what would be done")
    tourist.sees("the payment is CAPTURED")
    assert "--as succeeded --reason 'ticket 4711' --confirm" in page.content()
    shot(page, "resolve")
    assert world.operation("review") == "NEEDS_ATTENTION"
    tourist.press("Resolve it as succeeded")
    tourist.sees("is resolved as succeeded")
    page.locator(".state", has_text="CAPTURED").first.wait_for()
    assert world.operation("review") == "SUCCEEDED"
    tourist.sees("ticket 4711")
    assert "ada" in page.locator(".timeline").inner_text()


def five_hundred_are_replayed(tourist):
    page = tourist.page
    tourist.follow("Dead letters")
    shot(page, "dead-letters")
    row = page.locator("tr", has_text=REFUSED).first
    assert row.locator("td").first.inner_text() == "500"
    tourist.follow("Replay", row)
    page.get_by_role("heading", name="500 dead letters selected").wait_for()
    tourist.follow("Dry run")
    page.locator("p", has_text="500 would be replayed, 0 skipped").wait_for()
    assert f"--message '{REFUSED}' --confirm 500" in page.content()
    shot(page, "replay-confirm")
    tourist.press("Replay 500 dead letters")
    page.wait_for_url("**/console/replays/*")
    page.get_by_role("heading", name="finished").wait_for()
    tourist.sees("500 replayed, 0 skipped, 0 failed")
