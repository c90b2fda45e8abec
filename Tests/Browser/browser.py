"""A browser that notices what a person would complain about: errors in its console, what the policy blocks, addresses elsewhere."""

import os
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

URL = os.environ["CONSOLE_URL"]
TOKENS = {"operate": os.environ["OPERATE_TOKEN"], "read": os.environ["READ_TOKEN"]}

# What is wrong with a page for somebody who does not see it, or has no mouse.
ACCESS = """() => {
  const problems = [];
  const seen = (e) => e.getClientRects().length > 0;
  if (document.querySelectorAll('h1').length !== 1) problems.push('not one h1');
  let level = 0;
  for (const h of document.querySelectorAll('h1,h2,h3,h4')) {
    const next = Number(h.tagName[1]);
    if (level && next > level + 1) problems.push(`h${next} after h${level}: ${h.textContent}`);
    level = next;
  }
  for (const f of document.querySelectorAll('input:not([type=hidden]),select,textarea')) {
    if (!f.closest('label') && !f.ariaLabel) problems.push(`no label: ${f.name}`);
  }
  for (const c of document.querySelectorAll('a[href],button,summary')) {
    if (seen(c) && !c.textContent.trim()) problems.push(`no text: ${c.outerHTML}`);
  }
  for (const t of document.querySelectorAll('th')) if (!t.getAttribute('scope')) problems.push(`no scope: ${t.textContent}`);
  for (const s of document.querySelectorAll('svg')) {
    if (!(s.ariaHidden === 'true' || (s.getAttribute('role') === 'img' && s.ariaLabel))) problems.push('a picture without words');
  }
  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  for (const id of new Set(ids)) if (ids.filter((i) => i === id).length > 1) problems.push(`twice: #${id}`);
  for (const e of document.querySelectorAll('[aria-labelledby]')) {
    if (!document.getElementById(e.getAttribute('aria-labelledby'))) problems.push(`labelled by nothing: ${e.getAttribute('aria-labelledby')}`);
  }
  if (!document.documentElement.lang) problems.push('no language');
  if (!document.querySelector('main')) problems.push('no main');
  return problems;
}"""

# Everything that can be reached must be reachable with the tabulator, and show that it was.
FOCUSABLE = """() => [...document.querySelectorAll(
  'a[href],button,input:not([type=hidden]),select,textarea,summary,[tabindex="0"]')]
  .filter((e) => e.getClientRects().length && !e.disabled && !e.closest('details:not([open]) > :not(summary)')).length"""
FOCUSED = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const s = getComputedStyle(e);
  return {path: e.tagName + (e.getAttribute('href') || e.name || e.textContent.slice(0, 30)),
    isSeen: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2};
}"""


class Browser:
    def __init__(self, chromium):
        self.chromium = chromium
        self.complaints = []

    @contextmanager
    def person(self, role=None, width=1280, dark=False, javascript=True, height=900):
        """Somebody with a window, signed in where a role is given."""
        context = self.chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light",
            java_script_enabled=javascript, reduced_motion="reduce",
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


def check_access(page, where):
    problems = page.evaluate(ACCESS)
    assert not problems, f"{where}: {problems}"
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0, f"{where}: {overflow} pixels wider than the window"


def check_keyboard(page, where):
    wanted = page.evaluate(FOCUSABLE)
    page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    seen = []
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None:
            break
        assert focused["isSeen"], f"{where}: the focus on {focused['path']} is not seen"
        seen.append(focused["path"])
    assert len(seen) >= wanted, f"{where}: {len(seen)} of {wanted} are reached by the keyboard"
    return seen


def shot(page, name, folder):
    Path(folder).mkdir(parents=True, exist_ok=True)
    page.screenshot(path=f"{folder}/{name}.png", full_page=False)
