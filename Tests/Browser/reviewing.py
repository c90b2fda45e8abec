"""The ways out of manual review, each to its end: the client's final reply and the books included."""

from browser import URL
from stage import bank, eventually
from steps import step


def open_review(page, name):
    page.goto(f"{URL}/console/review")
    page.get_by_role("link", name=f"of order order-{name}", exact=False).click()
    page.get_by_role("heading", name="Ways out").wait_for()


def is_final(world, key):
    """The client knows: the second reply, after the one that said that the outcome is unknown."""
    return world.upstream.wait([key], number=2)


@step
def resolved_as_failed(window, world):
    payment = world.ids["failed"]
    with window.person("operate") as page:
        open_review(page, "failed")
        page.get_by_role("link", name="Ask the bank").click()
        page.get_by_text("make sure with the bank").wait_for()
        page.get_by_label("It has").select_option("failed")
        page.get_by_label("Reason").fill("the bank has no such capture, ticket 4713")
        page.get_by_role("button", name="See what would be done").click()
        page.get_by_role("heading", name="What would be done").wait_for()
        assert world.operation("failed") == "NEEDS_ATTENTION"
        page.get_by_role("button", name="Resolve it as failed").click()
        page.get_by_text("is resolved as failed").wait_for()
        assert "ticket 4713" in page.locator(".timeline").inner_text()
    assert world.operation("failed") == "DECLINED"
    assert world.database(f"SELECT status FROM payments WHERE id = '{payment}'") == "AUTHORIZED"
    reply = is_final(world, f"capture-{payment}")
    assert reply["final"] is True and reply["error"]["code"] == "resolved_as_failed", reply


@step
def resolved_as_authorized_with_the_id_of_the_bank(window, world):
    payment = world.ids["lost"]
    statement = [name for name in bank("/twisted") if name.startswith("auth_")][0]
    with window.person("operate") as page:
        open_review(page, "lost")
        page.get_by_label("Reason").fill("ticket 4714")
        # Neither its key nor anything else tells the bank which one is meant.
        page.get_by_role("button", name="See what would be done").click()
        page.get_by_role("heading", name="This is refused").wait_for()
        page.get_by_role("link", name="Back to the review").click()
        page.get_by_label("The bank's id of it").fill(statement)
        page.get_by_label("Reason").fill("on the statement, ticket 4714")
        page.get_by_role("button", name="See what would be done").click()
        page.get_by_text("the payment is AUTHORIZED").wait_for()
        assert f"--bank-id {statement}" in page.content()
        page.get_by_role("button", name="Resolve it as succeeded").click()
        page.get_by_text("is resolved as succeeded").wait_for()
    assert world.operation("lost", "authorize") == "SUCCEEDED"
    found = world.database(f"SELECT status || ' ' || bank_authorization_id FROM payments WHERE id = '{payment}'")
    assert found == f"AUTHORIZED {statement}", found
    reply = is_final(world, f"authorize-{payment}")
    assert reply["final"] is True and reply["outcome"] == "succeeded", reply


@step
def replayed_from_review(window, world):
    with window.person("operate") as page:
        open_review(page, "replayed")
        page.get_by_role("link", name="Replay it").click()
        page.get_by_role("heading", name="1 dead letter selected").wait_for()
        page.get_by_role("button", name="Replay 1 dead letter").click()
        page.get_by_text("1 replayed, 0 skipped, 0 failed").wait_for()
    # By the same key the bank tells the truth now.
    eventually("the capture has succeeded", lambda: world.operation("replayed") == "SUCCEEDED")
    with window.person("read") as page:
        page.goto(f"{URL}/console/payments/{world.ids['replayed']}")
        moments = page.locator(".timeline li", has=page.locator(".kind", has_text="replay"))
        for what in ("started", "replayed"):
            moment = moments.filter(has=page.locator(".what", has_text=what))
            assert moment.count() == 1 and "by ada" in moment.inner_text(), page.locator(".timeline").inner_text()
    assert is_final(world, f"capture-{world.ids['replayed']}")["outcome"] == "succeeded"


@step
def discarded_from_review(window, world):
    """It is off the list of dead letters, and in review still."""
    with window.person("operate") as page:
        open_review(page, "discarded")
        page.get_by_role("link", name="Discard the dead letter").click()
        page.get_by_label("Reason").fill("looked at by the bank, ticket 4715")
        page.get_by_role("button", name="Discard 1 dead letter").click()
        page.get_by_role("heading", name="finished").wait_for()
        world.work = page.url.rsplit("/", 1)[1]
        state = f"""SELECT state FROM dead_letters WHERE code = 'needs_attention' AND payment_id = '{world.ids['discarded']}'"""
        assert world.database(state) == "discarded"
        assert world.operation("discarded") == "NEEDS_ATTENTION"
        page.goto(f"{URL}/console/review")
        row = page.locator("tr", has_text="order-discarded")
        assert row.get_by_role("link", name="discarded", exact=True).count() == 1
        page.goto(f"{URL}/console/audit")
        assert page.locator("tr", has_text="ticket 4715").first.get_by_text("ada").is_visible()
