"""Scenarios of the official Python SDK of Anthropic. Usage: anthropic_python.py BASE_URL."""

import asyncio
import json
import sys

import anthropic

import record
from record import plain

BASE = sys.argv[1]
client = anthropic.Anthropic(api_key="mock", base_url=BASE, max_retries=0)
SAY = [{"role": "user", "content": [{"type": "text", "text": "one two three"}]}]
TOOLS = [
    {"name": "weather", "description": "Weather", "input_schema": record.PARAMETERS},
    {"name": "clock", "input_schema": {"type": "object", "properties": {}}},
]


def arguments(**more):
    return {"model": "mock-large", "max_tokens": 900, "messages": SAY, **more}


def create(**more):
    return client.messages.create(**arguments(**more))


def messages_unary():
    answer = create(system="Be brief.")
    assert answer.content[0].text.startswith("You sent 3 words.")
    return plain(answer)


def messages_stream():
    events = list(create(stream=True))
    text = "".join(event.delta.text for event in events if event.type == "content_block_delta")
    assert text == create().content[0].text
    return [plain(event) for event in events]


def messages_stream_assembled_by_the_sdk():
    with client.messages.stream(**arguments()) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert final.content[0].text == text and final.stop_reason == "end_turn"
    return plain(final)


def messages_tools():
    answer = create(tools=TOOLS)
    assert [block.type for block in answer.content] == ["text", "tool_use", "tool_use"]
    return plain(answer)


def messages_tools_stream():
    events = list(create(tools=TOOLS, stream=True))
    deltas = [event for event in events if event.type == "content_block_delta" and event.index == 1]
    assert json.loads("".join(event.delta.partial_json for event in deltas))["days"] == 42
    return [plain(event) for event in events]


def messages_tools_stream_assembled_by_the_sdk():
    with client.messages.stream(**arguments(tools=TOOLS)) as stream:
        final = stream.get_final_message()
    assert final.content[1].input["city"].startswith("Zürich") and final.stop_reason == "tool_use"
    return plain(final)


def messages_tool_result():
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "sunny"}
    return plain(create(messages=[*SAY, {"role": "assistant", "content": "x"}, {"role": "user", "content": [result]}], tools=TOOLS))


def messages_long_prompt():
    return plain(create(messages=[{"role": "user", "content": record.LONG}]))


def messages_length():
    answer = create(max_tokens=3)
    assert answer.stop_reason == "max_tokens"
    return plain(answer)


def count_tokens():
    return plain(client.messages.count_tokens(model="mock-large", messages=SAY))


def models():
    listed = [plain(model) for model in client.models.list()]
    return [listed, plain(client.models.retrieve(listed[0]["id"]))]


def error_400():
    return record.refusal(lambda: create(max_tokens=anthropic.omit))


def error_401():
    return record.refusal(lambda: create(model="error-401"))


def error_404():
    return record.refusal(lambda: client.models.retrieve("nothing"))


def error_429():
    return record.refusal(lambda: create(model="error-429"))


def error_429_for_a_stream():
    return record.refusal(lambda: create(model="error-429", stream=True))


def error_500():
    return record.refusal(lambda: create(model="error-500"))


def error_529():
    return record.refusal(lambda: create(model="error-529"))


def error_in_a_stream():
    return record.refusal(lambda: list(create(model="error-stream", stream=True)))


def cut_stream():
    return record.broken(lambda: list(create(model="cut-stream", stream=True)))


def cut_body():
    return record.broken(lambda: create(model="cut-stream"))


def cancel_mid_stream():
    def leave():
        stream = create(model="tokens-2000", max_tokens=2000, stream=True, extra_headers={"x-mock-delay-ms": "20"})
        events = iter(stream)
        seen = [plain(next(events)) for _ in range(3)]
        stream.close()
        return seen

    return record.aborts(leave)


def concurrent_requests():
    async def ask(asynchronous, index):
        more = arguments(messages=[{"role": "user", "content": "word " * (1 + index)}])
        if index % 2:
            return plain(await asynchronous.messages.create(**more))
        async with asynchronous.messages.stream(**more) as stream:
            return plain(await stream.get_final_message())

    async def all_of_them():
        async with anthropic.AsyncAnthropic(api_key="mock", base_url=BASE, max_retries=0) as asynchronous:
            return await asyncio.gather(*(ask(asynchronous, index) for index in range(20)))

    return asyncio.run(all_of_them())


record.run([
    messages_unary, messages_stream, messages_stream_assembled_by_the_sdk, messages_tools, messages_tools_stream,
    messages_tools_stream_assembled_by_the_sdk, messages_tool_result, messages_long_prompt, messages_length,
    count_tokens, models, error_400, error_401, error_404, error_429, error_429_for_a_stream, error_500, error_529,
    error_in_a_stream, cut_stream, cut_body, cancel_mid_stream, concurrent_requests,
])
