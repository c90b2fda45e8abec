"""Every kind of page, with something on it."""

import re
from urllib.parse import urlsplit

from browser import URL


def pages(world):
    """Paths under /console, by name."""
    ids = world.ids
    dead = world.database(
        "SELECT id FROM dead_letters WHERE code = 'needs_attention' ORDER BY state = 'discarded' DESC LIMIT 1"
    )
    waiting = f"/review/{ids['waiting']}?operation=capture-{ids['waiting']}"
    found = {
        "overview": "", "payments": "/payments", "payment": f"/payments/{ids['refunded']}",
        "payment-in-review": f"/payments/{ids['waiting']}", "found": "/payments?id=customer-bulk",
        "filtered": "/payments?status=CAPTURED&since=2020-01-01T00:00:00Z", "not-found": "/payments?id=nobody",
        "wrong-filter": "/payments?status=nonsense", "no-such-page": "/payments/00000000-0000-7000-8000-000000000000",
        "reviews": "/review", "review-item": waiting, "review-asked": f"{waiting}&bank=ask",
        "resolve": f"/payments/{ids['waiting']}/resolve?operation=capture&as=succeeded&reason=x",
        "dead-letters": "/dead-letters", "dead-letters-filtered": "/dead-letters?code=store_refused&state=all",
        "dead-letter": f"/dead-letters/{dead}",
        "replay-page": "/dead-letters/replay?code=store_refused&state=all&dry_run=1",
        "discard-page": "/dead-letters/discard?code=needs_attention", "replays": "/replays",
        "replay": f"/replays/{world.database('SELECT id FROM dead_letter_replays ORDER BY created_at LIMIT 1')}",
        "sweeps": "/sweeps", "sweeps-dry-run": "/sweeps?dry_run=reconcile", "audit": "/audit",
        "runbook": "/guides/runbook", "operations": "/guides/operations", "reference": "/reference",
        "messages": "/reference/messages", "admin-api": "/reference/admin-api",
    }
    if world.work:
        found["work"] = f"/work/{world.work}"
    return found


def kind(path):
    """The path of a kind of page: without what it is about."""
    return re.sub(r"/[0-9a-f-]{32,36}\b", "/{id}", urlsplit(path).path)


def linked_pages(page):
    """One page of each kind that links lead to from the overview, by its path under /console."""
    found, waiting = {"/console": ""}, ["/console"]
    while waiting:
        page.goto(URL + waiting.pop(0))
        for link in page.eval_on_selector_all("a[href^='/console']", "links => links.map((a) => a.getAttribute('href'))"):
            if kind(link) not in found and "/assets/" not in link:
                found[kind(link)] = link.removeprefix("/console").partition("#")[0]
                waiting.append(link)
    return found
