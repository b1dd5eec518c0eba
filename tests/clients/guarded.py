#!/usr/bin/env python3
"""One official SDK behind a gateway with a policy: what is blocked is raised at once, what is redacted goes on.

    tests/clients/guarded.py SDK GATEWAY_URL DIRECT_URL METRICS_URL CA_FILE

SDK is one of run.py's. Nothing is compared: each scenario knows what it wants to see. Prints as run.py does; exits with 1 on a failure.
Uses the standard library only."""

import sys
from pathlib import Path

import run


def main(arguments):
    if len(arguments) != 5 or arguments[0] not in run.SDKS:
        print(__doc__, file=sys.stderr)
        return 2
    sdk, url, direct, metrics, authority = arguments
    name, language = sdk.split("-")
    program = run.HERE / ("guarded_python.py" if language == "python" else "guarded_node.mjs")
    command = [run.SDKS[sdk][0], str(program), name]
    lines, problem = run.scenarios(command, url, direct, str(Path(authority).resolve()), GATEWAY_METRICS=metrics)
    failed = 0
    for line in lines.values():
        failed += "failure" in line
        print(f"{'FAIL' if 'failure' in line else 'ok'} {line['name']} {sdk} guarded", flush=True)
        if "failure" in line:
            print("    " + line["failure"].strip().replace("\n", "\n    "), flush=True)
    if problem or not lines:
        failed += 1
        print(f"FAIL program {sdk} guarded\n    {problem or 'no output'}", flush=True)
    print(f"{len(lines) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
