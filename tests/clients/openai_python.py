"""Scenarios of the official Python SDK of OpenAI. Usage: openai_python.py BASE_URL (without /v1)."""

import asyncio
import json
import sys

import openai

import record
from record import plain

BASE = sys.argv[1] + "/v1"
client = openai.OpenAI(api_key="mock", base_url=BASE, max_retries=0)
SAY = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "one two three"}]
TOOLS = [
    {"type": "function", "function": {"name": "weather", "description": "Weather", "parameters": record.PARAMETERS}},
    {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}},
]
RESPONSE_TOOLS = [{"type": "function", "strict": False, **TOOLS[0]["function"]}]


def chat(**more):
    return client.chat.completions.create(**{"model": "mock-small", "messages": SAY, **more})


def text_of(chunks, index=0):
    choices = [choice for chunk in chunks for choice in chunk.choices if choice.index == index]
    return "".join(choice.delta.content or "" for choice in choices)


def chat_unary():
    answer = chat()
    assert answer.choices[0].message.content.startswith("You sent 3 words.")
    return plain(answer)


def chat_stream():
    chunks = list(chat(stream=True, stream_options={"include_usage": True}))
    assert text_of(chunks) == chat().choices[0].message.content
    assert chunks[-1].usage.completion_tokens >= 40
    return [plain(chunk) for chunk in chunks]


def chat_stream_assembled_by_the_sdk():
    with client.chat.completions.stream(model="mock-small", messages=SAY) as stream:
        kinds = [event.type for event in stream]
        return [kinds, plain(stream.get_final_completion())]


def chat_two_choices():
    answer = chat(n=2)
    assert len(answer.choices) == 2
    return plain(answer)


def chat_two_choices_stream():
    chunks = list(chat(n=2, stream=True))
    answer = chat(n=2)
    for index in (0, 1):
        assert text_of(chunks, index) == answer.choices[index].message.content
    return [plain(chunk) for chunk in chunks]


def chat_tools():
    answer = chat(tools=TOOLS)
    assert [call.function.name for call in answer.choices[0].message.tool_calls] == ["weather", "clock"]
    assert json.loads(answer.choices[0].message.tool_calls[0].function.arguments)["days"] == 42
    return plain(answer)


def chat_tools_stream():
    chunks = list(chat(tools=TOOLS, stream=True))
    calls = [call for chunk in chunks for choice in chunk.choices for call in choice.delta.tool_calls or []]
    arguments = "".join(call.function.arguments or "" for call in calls if call.index == 0)
    assert json.loads(arguments)["city"].startswith("Zürich")
    return [plain(chunk) for chunk in chunks]


def chat_tool_result():
    result = {"role": "tool", "tool_call_id": "call_1", "content": '{"sky":"clear"}'}
    return plain(chat(messages=[*SAY, result], tools=TOOLS))


def chat_long_prompt():
    return plain(chat(messages=[{"role": "user", "content": record.LONG}]))


def chat_length():
    answer = chat(max_completion_tokens=3)
    assert answer.choices[0].finish_reason == "length"
    return plain(answer)


def completions():
    return plain(client.completions.create(model="mock-small", prompt="one two", n=2))


def completions_stream():
    return [plain(part) for part in client.completions.create(model="mock-small", prompt="one two", stream=True)]


def embeddings():
    answer = client.embeddings.create(model="mock-embedding", input=["one", "two words"])
    assert len(answer.data) == 2 and len(answer.data[0].embedding) == 1536
    return plain(answer)


def embeddings_as_numbers():
    return plain(client.embeddings.create(model="m", input="one", encoding_format="float", dimensions=8))


def models():
    listed = [plain(model) for model in client.models.list()]
    return [listed, plain(client.models.retrieve(listed[0]["id"]))]


def responses():
    answer = client.responses.create(model="mock-small", input="one two", instructions="Be brief.")
    assert answer.output_text.startswith("You sent 2 words.")
    return plain(answer)


def responses_stream():
    events = list(client.responses.create(model="mock-small", input="one two", stream=True))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert events[-1].type == "response.completed" and events[-1].response.output_text == text
    return [plain(event) for event in events]


def responses_stream_assembled_by_the_sdk():
    with client.responses.stream(model="mock-small", input="one two") as stream:
        kinds = [event.type for event in stream]
        return [kinds, plain(stream.get_final_response())]


def responses_tools():
    answer = client.responses.create(model="mock-small", input="one two", tools=RESPONSE_TOOLS)
    assert answer.output[0].type == "function_call"
    return plain(answer)


def responses_tools_stream():
    events = list(client.responses.create(model="mock-small", input="one two", tools=RESPONSE_TOOLS, stream=True))
    fragments = [event.delta for event in events if event.type == "response.function_call_arguments.delta"]
    assert json.loads("".join(fragments))["unit"] == "celsius"
    return [plain(event) for event in events]


def error_400():
    return record.refusal(lambda: chat(messages=openai.omit, extra_body={"no": "messages"}))


def error_401():
    return record.refusal(lambda: chat(model="error-401"))


def error_404():
    return record.refusal(lambda: client.models.retrieve("nothing"))


def error_429():
    return record.refusal(lambda: chat(model="error-429"))


def error_429_for_a_stream():
    return record.refusal(lambda: chat(model="error-429", stream=True))


def error_500():
    return record.refusal(lambda: chat(model="error-500"))


def error_529():
    return record.refusal(lambda: chat(model="error-529"))


def error_in_a_stream():
    return record.refusal(lambda: list(chat(model="error-stream", stream=True)))


def cut_stream():
    return record.broken(lambda: list(chat(model="cut-stream", stream=True)))


def cut_body():
    return record.broken(lambda: chat(model="cut-stream"))


def cancel_mid_stream():
    def leave():
        stream = chat(model="tokens-2000", stream=True, extra_headers={"x-mock-delay-ms": "20"})
        seen = [plain(next(stream)) for _ in range(3)]
        stream.close()
        return seen

    return record.aborts(leave)


def concurrent_requests():
    async def ask(asynchronous, index):
        messages = [{"role": "user", "content": "word " * index}]
        if index % 2:
            return plain(await asynchronous.chat.completions.create(model="mock-small", messages=messages))
        stream = await asynchronous.chat.completions.create(model="mock-small", messages=messages, stream=True)
        return text_of([chunk async for chunk in stream])

    async def all_of_them():
        async with openai.AsyncOpenAI(api_key="mock", base_url=BASE, max_retries=0) as asynchronous:
            return await asyncio.gather(*(ask(asynchronous, index) for index in range(20)))

    return asyncio.run(all_of_them())


record.run([
    chat_unary, chat_stream, chat_stream_assembled_by_the_sdk, chat_two_choices, chat_two_choices_stream, chat_tools,
    chat_tools_stream, chat_tool_result, chat_long_prompt, chat_length, completions, completions_stream, embeddings,
    embeddings_as_numbers, models, responses, responses_stream, responses_stream_assembled_by_the_sdk, responses_tools,
    responses_tools_stream, error_400, error_401, error_404, error_429, error_429_for_a_stream, error_500, error_529,
    error_in_a_stream, cut_stream, cut_body, cancel_mid_stream, concurrent_requests,
])
