"""The rendered contract: both documents are linked from every page, and each link within them leads somewhere."""

import re
from pathlib import Path

from browser import URL
from steps import step

DOCS = Path(__file__).resolve().parents[2] / "docs"


@step
def the_contract_is_there_to_read(window, world):
    components = (DOCS / "asyncapi.yaml").read_text().split("\n  messages:\n")[1].split("\n  schemas:\n")[0]
    messages = re.findall(r"^    (\w+):$", components, re.MULTILINE)
    operations = re.findall(r"operationId: (\w+)", (DOCS / "openapi.yaml").read_text())
    assert len(messages) > 15 and len(operations) > 10, (messages, operations)
    for width in (1280, 400):
        with window.person("read", width=width) as page:
            page.goto(f"{URL}/console")
            page.get_by_role("navigation", name="Documentation").get_by_role("link", name="Messages").click()
            page.get_by_role("heading", name="Messages", level=1).wait_for()
            for name in messages:
                assert page.locator(f"#messages-{name}").is_visible(), name
            page.get_by_role("link", name="captureResult").first.click()
            assert page.url.endswith("#messages-captureResult")
            assert page.locator("#messages-captureResult").bounding_box()["y"] < 200
            dead_ends = page.eval_on_selector_all(
                "main a[href^='#']", "links => links.map((l) => l.hash).filter((h) => !document.querySelector(h))")
            assert not dead_ends, dead_ends
            example = page.locator("details", has_text="A sealed card").first
            example.locator("summary").click()
            example.get_by_text('"order_id": "order-1"').wait_for()

            page.goto(f"{URL}/console/reference")
            page.get_by_role("main").get_by_role("link", name="admin API").click()
            page.get_by_role("heading", name="Admin API", level=1).wait_for()
            for operation in operations:
                entry = page.locator(f"#operations-{operation}")
                assert re.match("(GET|POST) /", entry.inner_text()), operation
