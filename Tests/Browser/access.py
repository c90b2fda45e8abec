"""Whether a page is for everybody: by its structure, its contrast, its width, and the keyboard alone."""

from pathlib import Path

SCRIPT = Path(__file__).with_name("access.js").read_text()


def ask(page, expression):
    return page.evaluate(f"() => {{ {SCRIPT}\nreturn {expression}; }}")


def check_structure(page, where, is_signed_in=True):
    problems = ask(page, f"[...structure(), ...landmarks({'true' if is_signed_in else 'false'})]")
    assert not problems, f"{where}: {problems}"
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0, f"{where}: {overflow} pixels wider than the window"


def check_contrast(page, where):
    """Returns how many texts were judged."""
    found = ask(page, "contrast()")
    assert not found["problems"], f"{where}: {found['problems']}"
    assert found["count"], f"{where}: no text"
    return found["count"]


def check_keyboard(page, where):
    """Goes through the whole page with the tabulator. Returns how many places it came to."""
    wanted = ask(page, "reachable()")
    reached = []
    for _ in range(len(wanted) + 5):
        page.keyboard.press("Tab")
        focused = ask(page, "focused()")
        # At the end it leaves the page, or begins anew.
        if focused is None or focused["number"] in reached:
            break
        what = f"{where}: the focus on {focused['html']}"
        assert focused["isOutlined"] and focused["isInView"], f"{what} is not seen"
        assert focused["contrast"] >= 3, f"{what} is hard to see ({focused['contrast']:.2f} to 1)"
        # A browser may also stop where something can be scrolled.
        if focused["number"] >= 0:
            reached.append(focused["number"])
    missing = [html for number, html in enumerate(wanted) if number not in reached]
    assert not missing, f"{where}: not reached by the keyboard: {missing}"
    assert reached == sorted(reached), f"{where}: the focus jumps: {reached}"
    assert "main" in wanted[reached[0]], f"{where}: the first place is {wanted[reached[0]]}"
    return len(reached)
