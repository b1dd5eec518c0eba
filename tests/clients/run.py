#!/usr/bin/env python3
"""Official SDKs through the gateway and past it: the same scenarios, and the parsed results must be equal.

    tests/clients/run.py DIRECT_URL GATEWAY_PLAIN_URL GATEWAY_TLS_URL CA_FILE [SDK…]

DIRECT_URL is the mock LLM itself; URLs have no path. The SDKs are those that `tests/clients/install` put into
$PNX_CLIENTS_DIR. Prints `ok` or `FAIL`, the scenario, the SDK and the route, one line each, then
`N passed, N failed`; exits with 1 on a failure. Uses the standard library only."""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
CLIENTS = Path(os.environ.get("PNX_CLIENTS_DIR") or CACHE / "penaxtra-gateway-clients").resolve()
SDKS = {
    "openai-python": [str(CLIENTS / "python/bin/python"), str(HERE / "openai_python.py")],
    "anthropic-python": [str(CLIENTS / "python/bin/python"), str(HERE / "anthropic_python.py")],
    "openai-node": ["node", str(HERE / "openai_node.mjs")],
    "anthropic-node": ["node", str(HERE / "anthropic_node.mjs")],
}
# What a gateway that inspects answers does on purpose: one in one piece is held until it is whole, so one that is cut is a 502, and not the
# broken connection of its upstream.
DIFFERENT = {"cut_body": {"class": "InternalServerError"}}
# One SDK's whole list takes a few seconds; a hang must not become the job's.
SECONDS_MAX = 120


def scenarios(command, url, direct, authority, **more):
    """Each scenario's line by its name, and what went wrong with the program as a whole."""
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    # Keys and base URLs of whoever runs this must not reach the SDKs.
    environment = {name: value for name, value in environment.items() if not name.startswith(("OPENAI_", "ANTHROPIC_"))}
    environment.update(
        PNX_CLIENTS_DIR=str(CLIENTS),
        MOCK_STATS=f"{direct}/mock/stats",
        SSL_CERT_FILE=authority,
        NODE_EXTRA_CA_CERTS=authority,
        PYTHONDONTWRITEBYTECODE="1",
        **more,
    )
    try:
        ended = subprocess.run(
            [*command, url], env=environment, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
        )
    except subprocess.TimeoutExpired as late:
        output = late.stdout.decode() if isinstance(late.stdout, bytes) else late.stdout or ""
        return parsed(output), f"no end after {SECONDS_MAX} s"
    except OSError as error:
        return {}, f"cannot start: {error}; run tests/clients/install"
    problem = f"exit code {ended.returncode}: {ended.stderr[-2000:]}" if ended.returncode else None
    return parsed(ended.stdout), problem


def parsed(output):
    lines = {}
    for line in output.splitlines():
        try:
            scenario = json.loads(line)
            lines[scenario["name"]] = scenario
        except (ValueError, TypeError, KeyError):
            continue
    return lines


def difference(expected, seen, path="result"):
    """Where two results first differ."""
    if type(expected) is type(seen) is dict:
        for name in [*expected, *(name for name in seen if name not in expected)]:
            found = difference(expected.get(name), seen.get(name), f"{path}.{name}")
            if found:
                return found
    elif type(expected) is type(seen) is list and len(expected) == len(seen):
        for index, pair in enumerate(zip(expected, seen)):
            found = difference(*pair, f"{path}[{index}]")
            if found:
                return found
    elif expected != seen:
        return f"{path}: wanted {str(expected)[:200]!r}, here {str(seen)[:200]!r}"
    return None


def wrong(scenario, reference, route):
    """Why a scenario's line is not right; none when it is."""
    if scenario is None:
        return "did not run"
    if "failure" in scenario:
        return scenario["failure"]
    if reference is None or "failure" in reference:
        return "went wrong directly, so there is nothing to compare with"
    expected = reference["result"] if route == "direct" else DIFFERENT.get(scenario["name"], reference["result"])
    return difference(expected, scenario["result"])


def main(arguments):
    if len(arguments) < 4 or any(sdk not in SDKS for sdk in arguments[4:]):
        print(__doc__, file=sys.stderr)
        return 2
    direct, plain, tls = (url.rstrip("/") for url in arguments[:3])
    authority = str(Path(arguments[3]).resolve())
    counts = {True: 0, False: 0}
    for sdk in arguments[4:] or SDKS:
        references = {}
        for route, url in {"direct": direct, "plain": plain, "tls": tls}.items():
            lines, problem = scenarios(SDKS[sdk], url, direct, authority)
            references = lines if route == "direct" else references
            for name in dict.fromkeys([*references, *lines]):
                reason = wrong(lines.get(name), references.get(name), route)
                counts[reason is None] += 1
                print(f"{'FAIL' if reason else 'ok'} {name} {sdk} {route}", flush=True)
                if reason:
                    print("    " + reason.strip().replace("\n", "\n    "), flush=True)
            if problem or not lines:
                counts[False] += 1
                print(f"FAIL program {sdk} {route}\n    {problem or 'no output'}", flush=True)
    print(f"{counts[True]} passed, {counts[False]} failed")
    return 1 if counts[False] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
