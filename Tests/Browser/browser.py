"""A browser that notices what a person would complain about: errors in its console, what the policy blocks, addresses elsewhere."""

import os
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

URL = os.environ["CONSOLE_URL"]
TOKENS = {"operate": os.environ["OPERATE_TOKEN"], "read": os.environ["READ_TOKEN"]}
SHOTS = Path(os.environ["SHOTS"])


class Browser:
    def __init__(self, chromium):
        self.chromium = chromium
        self.complaints = []

    @contextmanager
    def person(self, role=None, width=1280, dark=False, javascript=True, height=900, permissions=()):
        """Somebody with a window, signed in where a role is given."""
        context = self.chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light",
            java_script_enabled=javascript, reduced_motion="reduce", permissions=list(permissions),
        )
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", self.heard)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("request", self.asked)
        page.on("response", lambda answer: answer.status >= 500 and self.complaints.append(f"{answer.url}: {answer.status}"))
        if role:
            page.goto(URL + "/console/sign-in")
            page.get_by_label("Admin token").fill(TOKENS[role])
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/console")
        yield page
        context.close()

    @contextmanager
    def elsewhere(self):
        """While a page is not of the console. Gives what was complained about then, which counts no longer."""
        before, others = self.complaints, []
        self.complaints = others
        yield others
        self.complaints = before

    def heard(self, message):
        # What was refused on purpose is an error to the browser.
        if message.type in ("error", "warning") and "status of 4" not in message.text:
            self.complaints.append(f"{message.location.get('url')}: {message.text}")

    def asked(self, request):
        if not request.url.startswith((URL, "data:")):
            self.complaints.append(f"a request to {request.url}")

    def check(self):
        assert not self.complaints, "\n".join(self.complaints)


@contextmanager
def browser():
    with sync_playwright() as playwright:
        # A sandbox needs rights that root in a container does not have.
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=options)
        yield Browser(chromium)
        chromium.close()


# Of a long list the beginning shows what it is.
HIGHEST = 1300
# A picture has the colours that are there most, and of the others those that differ most: what is red stays red.
MOST_USED, MOST_DIFFERENT = 64, 64


def shot(page, name):
    SHOTS.mkdir(parents=True, exist_ok=True)
    width, height = page.evaluate("[innerWidth, document.documentElement.scrollHeight]")
    clip = {"x": 0, "y": 0, "width": width, "height": min(height, HIGHEST)}
    picture = Image.open(BytesIO(page.screenshot(full_page=True, clip=clip))).convert("RGB")
    used = [colour for _, colour in sorted(picture.getcolors(1 << 24), reverse=True)[:MOST_USED]]
    others = picture.quantize(MOST_DIFFERENT, method=Image.Quantize.MAXCOVERAGE).getpalette()
    palette = Image.new("P", (1, 1))
    palette.putpalette([value for colour in used for value in colour] + others[: 3 * MOST_DIFFERENT])
    picture.quantize(palette=palette, dither=Image.Dither.NONE).save(SHOTS / f"{name}.png", optimize=True)
