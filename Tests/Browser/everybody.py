"""Every page is for everybody: light and dark, at 1280 and 400 pixels, by keyboard, and without JavaScript."""

from access import check_contrast, check_keyboard, check_structure
from browser import URL, shot
from pages import kind, linked_pages, pages
from steps import step

# Long, and made of links only: gone through once.
LONG = ("runbook", "operations", "messages", "admin-api")
WINDOWS = [(1280, False), (1280, True), (400, False), (400, True)]
# Pages of docs/console.md: what their pictures are called, and the windows in which they are shown there.
PICTURES = {
    "overview": ("overview", [(1280, False), (1280, True), (400, False)]),
    "payment-in-review": ("payment", [(1280, False), (400, True)]),
    "filtered": ("payments", [(1280, False)]), "reviews": ("review-queue", [(1280, False)]),
    "audit": ("audit", [(1280, False)]), "reference": ("reference", [(1280, False)]),
    "messages": ("messages", [(1280, False)]),
}


@step
def every_page_is_for_everybody(window, world):
    with window.person("operate") as page:
        all_pages = pages(world)
        known = {kind(f"/console{path}") for path in all_pages.values()}
        # What links lead to, and the list above does not have.
        all_pages |= {name: path for name, path in linked_pages(page).items() if name not in known}
    texts = places = 0
    problems = []
    for width, dark in WINDOWS:
        with window.person("operate", width=width, dark=dark) as page:
            # What changes by itself is a step of its own; here a page stays as it is while one goes through it.
            page.route("**/events", lambda route: route.fulfill(content_type="text/event-stream", body=""))
            for name, path in all_pages.items():
                page.goto(f"{URL}/console{path}")
                where = f"{name} at {width}, {'dark' if dark else 'light'}"
                picture, windows = PICTURES.get(name, ("", []))
                if (width, dark) in windows:
                    shot(page, f"{picture}-{width}{'-dark' if dark else ''}")
                try:
                    check_structure(page, where)
                    texts += check_contrast(page, where)
                    # By the widest and the narrowest, in both colours.
                    if (width, dark) == (1280, False) or ((width, dark) == (400, True) and name not in LONG):
                        places += check_keyboard(page, where)
                except AssertionError as problem:
                    problems.append(str(problem))
    assert not problems, "\n".join(problems)
    print(f"{len(all_pages)} pages in {len(WINDOWS)} windows: {texts} texts with contrast, {places} places by keyboard")
    with window.person("operate") as page:
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


@step
def without_javascript(window, world):
    world.upstream.fail("void", "00000000-0000-7000-8000-000000000001", "unpublishable", "no queue takes it")
    with window.person("operate", javascript=False) as page:
        assert page.locator(".alarms").get_by_text("2 operations need manual review.", exact=True).count() == 1
        for name, path in pages(world).items():
            status = page.goto(f"{URL}/console{path}").status
            expected = {"no-such-page": 404}.get(name, 200)
            assert status == expected, (name, status)
        page.goto(f"{URL}/console/dead-letters?code=unpublishable")
        page.get_by_role("link", name="Discard all 1").click()
        page.get_by_label("Reason").fill("without a script")
        page.get_by_role("button", name="Discard 1 dead letter").click()
        page.get_by_text("Discarding 1 dead letter").wait_for()
