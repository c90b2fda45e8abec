"""compose_options.py FILE SERVICE: what the compose file says of a service, as options of `podman run`, one a line.

Ports, networks, volumes and dependencies are left out: they are the caller's."""

import os
import re
import sys

import yaml


def filled(text):
    """With the variables of the environment, as compose has them: ${NAME}, ${NAME:-other}, ${NAME:?why}."""

    def value(match):
        given = os.environ.get(match[1], "")
        if not given and match[2] == "?":
            sys.exit(f"{match[1]} is not set: {match[3]}")
        return given or (match[3] if match[2] == "-" else "")

    return re.sub(r"\$\{(\w+)(?::([-?])([^}]*))?\}", value, str(text))


def options(service):
    for name, value in service.get("environment", {}).items():
        yield f"--env={name}={filled(value)}"
    if service.get("read_only"):
        yield "--read-only"
        # Compose gives no folder to write in; podman would.
        yield "--read-only-tmpfs=false"
    for name in service.get("cap_drop", []):
        yield f"--cap-drop={name}"
    for name in service.get("security_opt", []):
        # podman takes the bare name.
        yield f"--security-opt={name.removesuffix(':true')}"
    for name, limit in service.get("ulimits", {}).items():
        yield f"--ulimit={name}={limit}:{limit}"
    if "stop_grace_period" in service:
        yield f"--stop-timeout={service['stop_grace_period'].removesuffix('s')}"
    health = service["healthcheck"]["test"]
    yield f"--health-cmd={' '.join(health[1:])}"


with open(sys.argv[1], encoding="utf-8") as file:
    services = yaml.safe_load(file)["services"]
print("\n".join(options(services[sys.argv[2]])))
