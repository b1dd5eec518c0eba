"""What the Python scenario files share: run each scenario, print its result as one line of JSON, compare nothing.

A scenario is a function; what it returns must be plain data. A failed assertion or an unexpected exception is a
scenario that failed, whatever the other routes say."""

import json
import os
import time
import traceback
import urllib.request


def run(scenarios):
    for scenario in scenarios:
        line = {"name": scenario.__name__}
        try:
            line["result"] = scenario()
        except Exception:
            line["failure"] = traceback.format_exc(limit=-3)
        print(json.dumps(line, ensure_ascii=True), flush=True)


def plain(value):
    """An SDK's object as plain data, without what only this process knows."""
    return value.model_dump(mode="json", warnings=False)


def refusal(call):
    """The typed exception that `call` raises, as data."""
    try:
        call()
    except Exception as error:
        return {
            "class": type(error).__name__,
            "status": getattr(error, "status_code", None),
            "message": str(error),
            "body": getattr(error, "body", None),
        }
    raise AssertionError("no exception was raised")


def broken(call):
    """Only the class: the words for a broken connection are the transport's."""
    return {"class": refusal(call)["class"]}


def aborted_streams():
    with urllib.request.urlopen(os.environ["MOCK_STATS"], timeout=5) as answer:
        return json.load(answer)["aborted_streams"]


def aborts(call):
    """Whether the model's side learns within two seconds that `call` left its stream."""
    before = aborted_streams()
    seen = call()
    deadline = time.monotonic() + 2
    while aborted_streams() == before:
        assert time.monotonic() < deadline, "the upstream stream went on for two seconds"
        time.sleep(0.01)
    return {"seen": seen, "aborted": aborted_streams() - before}


def counts():
    """Requests so far: to the gateway, and on to the model."""
    with urllib.request.urlopen(os.environ["GATEWAY_METRICS"], timeout=5) as answer:
        lines = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if line[:1] != "#")
    with urllib.request.urlopen(os.environ["MOCK_STATS"], timeout=5) as answer:
        return [int(lines["pnx_requests_total"]), json.load(answer)["requests"]]


def counted(call):
    """What `call` gave, and how many requests it made: to the gateway, and on to the model."""
    before = counts()
    seen = call()
    return seen, [after - earlier for after, earlier in zip(counts(), before)]


PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "unit": {"enum": ["celsius", "kelvin"]}},
    "required": ["city"],
}
LONG = "Every word of this sentence travels, café and 東京 and 🙂 too. " * 4000
