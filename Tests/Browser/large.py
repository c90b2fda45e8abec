"""How long each page takes with much in the database, from the request to its last byte."""

import os
import statistics
import time

import stage
from browser import URL
from pages import pages

# Of each page, after one that is not counted: that finds nothing cached, right after a million rows were written.
TIMES = 15
# In ms, for the worst of them, by a release build.
MOST = 300
TIMING = "(() => { const t = performance.getEntriesByType('navigation')[0]; return t.responseEnd - t.requestStart })()"


def measure(window, world):
    stage.many(world.database, 10_000)
    times = {}
    with window.person("operate") as page:
        def take(name, path):
            page.goto(f"{URL}/console{path}")
            for _ in range(TIMES):
                page.goto(f"{URL}/console{path}")
                times.setdefault(name, []).append(page.evaluate(TIMING))

        for name, path in pages(world).items():
            take(name, path.replace("&dry_run=1", ""))
        # Where hardly any of those that are read match, and the work before 10,000 are replayed.
        take("rare", "/payments?status=EXPIRED")
        take("all of them", "/dead-letters/replay?all=1")
        link = page.get_by_role("link", name="Older payments")
        for is_counted in (False, True):
            page.goto(f"{URL}/console/payments?id=customer-bulk")
            for _ in range(8):
                link.click()
                page.wait_for_load_state()
                if is_counted:
                    times.setdefault("next page", []).append(page.evaluate(TIMING))
        # Its page comes at once, with a link to this, which decides about them one by one.
        begun = time.monotonic()
        page.goto(f"{URL}/console/dead-letters/replay?all=1&dry_run=1")
        page.locator("p", has_text="would be replayed").wait_for()
        print(f"a dry run of all dead letters, which is no page but work that is asked for, took {time.monotonic() - begun:.1f} s")
    counts = world.database(
        "SELECT (SELECT count(*) FROM payments) || ' payments, ' || (SELECT count(*) FROM dead_letters) || ' dead letters'"
    )
    build = os.environ["BUILD"]
    print(f"with {counts}, a {build} build, {TIMES} times each after one that is not counted: median and worst, in ms")
    for name, taken in sorted(times.items(), key=lambda item: -statistics.median(item[1])):
        print(f"  {name:24} {statistics.median(taken):7.0f} {max(taken):7.0f}")
    slow = [name for name, taken in times.items() if max(taken) >= MOST]
    if build != "release":
        print(f"not judged, for it is no release build; {len(slow)} pages were once not within {MOST} ms")
        return
    assert not slow, f"not within {MOST} ms each time: {slow}"
