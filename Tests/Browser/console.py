"""The console as a person uses it. Called by scripts/test-console, which has started everything.

Each file adds its steps, which run in the order of these lines: what one does the next ones find."""

import os
import sys
import time

import stage
from browser import browser
from steps import steps

# isort: off
import looking  # noqa: F401
import tour  # noqa: F401
import reviewing  # noqa: F401
import running  # noqa: F401
import guarding  # noqa: F401
import dead_letters  # noqa: F401
import sweeping  # noqa: F401
import contract  # noqa: F401
import everybody  # noqa: F401
import stopping  # noqa: F401

from large import measure


def main():
    world = stage.set_up(os.environ["AMQP_URL"], stage.Database(os.environ["DATABASE_URL"]))
    stage.break_many(world)
    with browser() as window:
        for work in steps:
            begun = time.monotonic()
            world.upstream.connection.process_data_events(0)
            work(window, world)
            window.check()
            print(f"ok  {work.__name__.replace('_', ' ')} ({time.monotonic() - begun:.1f} s)", flush=True)
        if "--large" in sys.argv:
            measure(window, world)
    print(f"{len(steps)} passed, 0 failed")


if __name__ == "__main__":
    main()
