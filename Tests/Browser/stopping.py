"""A discard that is under way is stopped: what was discarded stays so, and the rest is open."""

import uuid

from browser import URL
from stage import eventually
from steps import step

WHY = "nobody reads that queue any more"
COUNT = 200
SELECTED = f"FROM dead_letters WHERE code = 'unpublishable' AND message = '{WHY}'"


@step
def a_running_discard_is_stopped(window, world):
    def number(state):
        return int(world.database(f"SELECT count(*) {SELECTED} AND state = '{state}'"))

    for _ in range(COUNT):
        world.upstream.fail("void", str(uuid.uuid4()), "unpublishable", WHY)
    eventually("all are there", lambda: number("open") == COUNT)
    address = f"{URL}/console/dead-letters/discard?code=unpublishable&message={WHY.replace(' ', '%20')}"
    # It cannot come by one in the middle, until Stop is pressed.
    middle = f"(SELECT id {SELECTED} ORDER BY dead_lettered_at, id OFFSET {COUNT // 2 + 10} LIMIT 1)"
    with window.person("operate") as page:
        page.goto(address)
        page.get_by_label("Reason").fill("sent to the wrong queue, ticket 4716")
        with world.database.locked(f"SELECT id FROM dead_letters WHERE id = {middle}"):
            page.get_by_role("button", name=f"Discard {COUNT} dead letters").click()
            page.wait_for_url("**/console/work/*")
            page.get_by_role("heading", name="running").wait_for()
            # It shows how far it is.
            page.wait_for_function("() => document.querySelector('progress').value > 0")
            page.get_by_role("button", name="Stop it").click()
            page.get_by_role("heading", name="stopping").wait_for()
        page.get_by_role("heading", name="stopped").wait_for()
        done = number("discarded")
        assert 0 < done < COUNT, done
        assert number("open") == COUNT - done
        page.get_by_text(f"Discarded {done} of {COUNT}.").first.wait_for()
        assert page.get_by_role("button", name="Stop it").count() == 0
        audited = f"SELECT count(*) FROM dead_letter_audit WHERE action = 'discard' AND reason LIKE '%ticket 4716' AND actor = 'ada'"
        assert int(world.database(audited)) == done
        # The rest is still there to be discarded, or replayed.
        page.goto(address)
        page.get_by_role("heading", name=f"{COUNT - done} dead letters selected").wait_for()
        page.get_by_label("Reason").fill("the rest of ticket 4716")
        page.get_by_role("button", name=f"Discard {COUNT - done} dead letters").click()
        page.get_by_role("heading", name="finished").wait_for()
    assert number("discarded") == COUNT
