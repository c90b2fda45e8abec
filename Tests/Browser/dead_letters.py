"""Dead letters by cause, one by one and all, with what is skipped and why."""

import uuid

from browser import URL
from stage import eventually
from steps import step


@step
def what_would_be_skipped_is_said_and_counted(window, world):
    with window.person("operate") as page:
        page.goto(f"{URL}/console/dead-letters/replay?code=store_unreadable")
        page.locator("p", has_text="1 would be replayed, 1 skipped").wait_for()
        skips = page.get_by_role("region", name="What would be skipped, and why").locator("tbody tr")
        assert skips.count() == 1
        assert "its card was reduced to BIN and last four" in skips.inner_text()
        assert world.database.open("store_unreadable") == 2
        # What was said is what happens.
        page.get_by_role("button", name="Replay 2 dead letters").click()
        page.get_by_text("1 replayed, 1 skipped, 0 failed").wait_for()
        left = page.get_by_role("region", name="What was not replayed").locator("tbody tr")
        assert left.count() == 1 and "its card was reduced" in left.inner_text()
        assert world.database.open("store_unreadable") == 1
        # Of many the first hundred are named, and all are counted.
        page.goto(f"{URL}/console/dead-letters/replay?code=store_refused&state=all&dry_run=1")
        page.locator("p", has_text="0 would be replayed, 500 skipped").wait_for()
        assert page.get_by_role("region", name="What would be skipped, and why").locator("tbody tr").count() == 100


@step
def a_number_that_has_changed_is_asked_about_again(window, world):
    with window.person("operate") as page:
        page.goto(f"{URL}/console/dead-letters/discard?code=invalid_command")
        # The command of another person has changed the number meanwhile.
        world.database("""UPDATE dead_letters SET state = 'discarded', closed_at = now() WHERE id = (
            SELECT id FROM dead_letters WHERE code = 'invalid_command' AND state = 'open' LIMIT 1)""")
        page.get_by_label("Reason").fill("sent again, ticket 4712")
        page.get_by_role("button", name="Discard").click()
        page.get_by_text("The selection has changed").wait_for()
        left = world.database.open("invalid_command")
        assert left > 0, "nothing is discarded before it is agreed to"
        page.get_by_role("button", name=f"Discard {left} dead letter").click()
        page.wait_for_url("**/console/work/*")
        page.get_by_role("heading", name="finished").wait_for()
        assert world.database.open("invalid_command") == 0
        page.goto(f"{URL}/console/audit")
        assert page.locator("tr", has_text="sent again, ticket 4712").first.get_by_text("ada").is_visible()


@step
def some_are_chosen_one_by_one(window, world):
    payments = [str(uuid.uuid4()) for _ in range(8)]
    for payment in payments:
        world.upstream.fail("void", payment, "unpublishable", "no queue takes it")
    eventually("eight more", lambda: world.database.open("unpublishable") == 8)
    with window.person("operate") as page:
        def choose(*numbers):
            page.goto(f"{URL}/console/dead-letters?code=unpublishable")
            boxes = page.locator("input[name=id]")
            for number in numbers:
                boxes.nth(number).check()
            return [boxes.nth(number).input_value() for number in numbers]

        def states(ids):
            names = ", ".join(f"'{name}'" for name in ids)
            return world.database(f"SELECT DISTINCT state FROM dead_letters WHERE id IN ({names})")

        chosen = choose(0, 2)
        page.get_by_role("button", name="Discard the selected").click()
        page.get_by_role("heading", name="2 dead letters selected").wait_for()
        page.get_by_label("Reason").fill("a test's")
        page.get_by_role("button", name="Discard 2 dead letters").click()
        page.get_by_role("heading", name="finished").wait_for()
        assert states(chosen) == "discarded" and world.database.open("unpublishable") == 6
        chosen = choose(1, 3, 4)
        page.get_by_role("button", name="Replay the selected").click()
        page.get_by_role("heading", name="3 dead letters selected").wait_for()
        page.get_by_role("button", name="Replay 3 dead letters").click()
        page.get_by_text("3 replayed, 0 skipped, 0 failed").wait_for()
        assert states(chosen) == "replayed" and world.database.open("unpublishable") == 3
        # All on the page, by one box.
        page.goto(f"{URL}/console/dead-letters?code=unpublishable")
        page.get_by_label("Select all on this page").check()
        assert page.locator("input[name=id]:checked").count() == 3


@step
def all_that_match_are_replayed(window, world):
    with window.person("operate") as page:
        page.goto(f"{URL}/console/dead-letters?code=unpublishable&operation=void")
        page.get_by_role("link", name="Replay all 3 that match").click()
        page.get_by_role("heading", name="3 dead letters selected").wait_for()
        page.get_by_role("button", name="Replay 3 dead letters").click()
        page.get_by_text("3 replayed, 0 skipped, 0 failed").wait_for()
    assert world.database.open("unpublishable") == 0
    keys = world.database("SELECT idempotency_key FROM dead_letters WHERE code = 'unpublishable' AND state = 'replayed'")
    assert len(keys.splitlines()) == 6
    # Each is answered: there is no such payment to void.
    assert world.upstream.wait(keys.splitlines())["error"]["code"] == "payment_not_found"
