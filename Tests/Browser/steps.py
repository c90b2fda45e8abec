"""What the test consists of, in the order in which it is read in."""

steps = []


def step(work):
    """One step: gets the browser and the world (stage.py)."""
    steps.append(work)
    return work
