"""The scheduled work: what is due, and doing it now."""

from browser import URL, shot
from steps import step


def by_hand(world, job):
    return int(world.database(
        f"SELECT count(*) FROM sweep_runs WHERE job = '{job}' AND slot IS NULL AND finished_at IS NOT NULL"
    ))


@step
def sweeps_are_tried_and_run(window, world):
    with window.person("operate") as page:
        for job in ("reconcile", "expire", "retention"):
            page.goto(f"{URL}/console/sweeps")
            page.get_by_role("link", name=f"Dry run of {job}").click()
            page.get_by_role("status").get_by_text(f"Dry run of {job}").wait_for()
            page.get_by_text("nothing was done").wait_for()
            assert by_hand(world, job) == 0, "a dry run is no run"
            page.get_by_role("button", name=f"Run now: {job}").click()
            page.wait_for_url("**/console/work/*")
            page.get_by_role("heading", name="finished").wait_for()
            page.get_by_text(f"processor sweeps run {job}").wait_for()
            page.get_by_role("link", name="Sweeps").first.click()
            page.locator("tr", has_text="by hand").filter(has_text=job).wait_for()
            assert by_hand(world, job) == 1
        page.get_by_role("link", name="Dry run of reconcile").click()
        page.get_by_text("nothing was done").wait_for()
        shot(page, "sweeps")
