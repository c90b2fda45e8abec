"""How long each page takes with much in the database, from the request to its last byte."""

import statistics
import time

import stage
from browser import URL
from pages import pages

TIMES = 15
# Of the median, and of the worst: the first answer finds nothing cached, right after a million rows were written.
MOST, WORST = 300, 1000
TIMING = "(() => { const t = performance.getEntriesByType('navigation')[0]; return t.responseEnd - t.requestStart })()"


def measure(window, world):
    stage.many(world.database, 10_000)
    times = {}
    with window.person("operate") as page:
        def take(name, path):
            for _ in range(TIMES):
                page.goto(f"{URL}/console{path}")
                times.setdefault(name, []).append(page.evaluate(TIMING))

        # A dry run of thousands is work, and asked for: it is timed by itself.
        for name, path in pages(world).items():
            take(name, path.replace("&dry_run=1", ""))
        # Where hardly any of those that are read match, and the work before 10,000 are replayed.
        take("rare", "/payments?status=EXPIRED")
        take("all of them", "/dead-letters/replay?all=1")
        page.goto(f"{URL}/console/payments?id=customer-bulk")
        link = page.get_by_role("link", name="Older payments")
        for _ in range(8):
            link.click()
            page.wait_for_load_state()
            times.setdefault("next page", []).append(page.evaluate(TIMING))
        begun = time.monotonic()
        page.goto(f"{URL}/console/dead-letters/replay?all=1&dry_run=1")
        print(f"a dry run of all took {time.monotonic() - begun:.1f} s")
    counts = world.database(
        "SELECT (SELECT count(*) FROM payments) || ' payments, ' || (SELECT count(*) FROM dead_letters) || ' dead letters'"
    )
    print(f"with {counts}, {TIMES} times each: median and worst, in ms")
    for name, taken in sorted(times.items(), key=lambda item: -statistics.median(item[1])):
        print(f"  {name:24} {statistics.median(taken):7.0f} {max(taken):7.0f}")
    slow = [name for name, taken in times.items() if statistics.median(taken) >= MOST or max(taken) >= WORST]
    assert not slow, f"not within {MOST} ms, or once not within {WORST} ms: {slow}"
