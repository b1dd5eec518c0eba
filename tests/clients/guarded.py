#!/usr/bin/env python3
"""One official SDK behind a gateway with a policy: what is blocked is raised at once, what is redacted goes on.

    tests/clients/guarded.py requests|answers SDK GATEWAY_URL DIRECT_URL METRICS_URL CA_FILE

The first says what the policy is about. SDK is one of run.py's. Nothing is compared: each scenario knows what it wants to see. Prints as
run.py does; exits with 1 on a failure. Uses the standard library only."""

import sys
from pathlib import Path

import run

PROGRAMS = {"requests": "guarded", "answers": "answers"}


def main(arguments):
    if len(arguments) != 6 or arguments[0] not in PROGRAMS or arguments[1] not in run.SDKS:
        print(__doc__, file=sys.stderr)
        return 2
    about, sdk, url, direct, metrics, authority = arguments
    name, language = sdk.split("-")
    program = run.HERE / f"{PROGRAMS[about]}_{language}.{'py' if language == 'python' else 'mjs'}"
    command = [run.SDKS[sdk][0], str(program), name]
    lines, problem = run.scenarios(command, url, direct, str(Path(authority).resolve()), GATEWAY_METRICS=metrics)
    failed = 0
    for line in lines.values():
        failed += "failure" in line
        print(f"{'FAIL' if 'failure' in line else 'ok'} {line['name']} {sdk} {about}", flush=True)
        if "failure" in line:
            print("    " + line["failure"].strip().replace("\n", "\n    "), flush=True)
    if problem or not lines:
        failed += 1
        print(f"FAIL program {sdk} {about}\n    {problem or 'no output'}", flush=True)
    print(f"{len(lines) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
