"""A replay that is under way: it survives its page, nobody without the right stops it, and whoever has it does."""

from browser import URL, shot
from stage import eventually
from steps import step


def dealt_with(world):
    return int(world.database(f"SELECT replayed + skipped + failed FROM dead_letter_replays WHERE id = '{world.running}'"))


def state(world):
    return world.database(f"SELECT state FROM dead_letter_replays WHERE id = '{world.running}'")


@step
def a_replay_survives_its_page(window, world):
    with window.person("operate") as page:
        page.goto(f"{URL}/console/dead-letters/replay?code=invalid_command")
        page.get_by_label("At most so many a second").fill("nonsense")
        page.get_by_role("button", name="Replay 90").click()
        page.get_by_role("alert").wait_for()
        page.get_by_label("At most so many a second").fill("1")
        page.get_by_role("button", name="Replay 90").click()
        page.wait_for_url("**/console/replays/*")
        world.running = page.url.rsplit("/", 1)[1]
    # Nobody looks at it, and it goes on.
    before = dealt_with(world)
    eventually("it goes on without a page", lambda: dealt_with(world) > before)
    assert state(world) == "running"
    with window.person("operate") as page:
        page.goto(f"{URL}/console/replays")
        page.locator("tr", has_text="running").get_by_role("link").click()
        page.wait_for_url(f"**/console/replays/{world.running}")
        page.get_by_role("heading", name="running").wait_for()
        # And the page follows it.
        value = page.evaluate("document.querySelector('progress').value")
        page.wait_for_function("(v) => document.querySelector('progress').value > v", arg=value)
        shot(page, "replay-running")


def a_running_replay_is_stopped(window, world):
    """Read in by guarding.py, after others have tried to."""
    with window.person("operate") as page:
        page.goto(f"{URL}/console/replays/{world.running}")
        page.get_by_role("button", name="Stop it").click()
        page.get_by_role("heading", name="stopped").wait_for()
        page.get_by_text("Stopped by").wait_for()
        assert page.get_by_role("button", name="Stop it").count() == 0
    assert state(world) == "stopped"
    done = dealt_with(world)
    assert 0 < done < 90, done
    # Those that were replayed are answered, and closed; the others are as they were.
    count = "SELECT count(*) FROM dead_letters WHERE code = 'invalid_command' AND state = 'replayed'"
    assert int(world.database(count)) == done
    assert world.database.open("invalid_command") == 90 - done
    again = f"""SELECT idempotency_key FROM dead_letters WHERE code = 'invalid_command' AND state = 'replayed'"""
    world.upstream.wait(world.database(again).splitlines())
