"""Both official Python SDKs behind a policy that blocks AWS keys and redacts e-mail addresses; retries as they come.

Usage: guarded_python.py openai|anthropic BASE_URL (without /v1). The last scenario is one that redacts: whoever runs this can look at
the last body that the model got."""

import asyncio
import sys

import anthropic
import openai

import record

SDK, BASE = sys.argv[1:]
CODE = "DLP.SECRET.AWS_ACCESS_KEY"
# In two halves, so that this file holds no key.
SECRET = "my key is AKIA" + "Q7ZT2XV5JNLB3RWD, keep it"
ADDRESS = "write to anna.keller@nordwind-handel.de today"


def says(text):
    return [{"role": "user", "content": text}]


def raised(call):
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("no exception was raised")


def denied(call, kind):
    """`call` raises the SDK's own error for 403 after one request, and the model sees none."""
    error, requests = record.counted(lambda: raised(call))
    assert type(error) is kind and error.status_code == 403, repr(error)
    assert requests == [1, 0], requests
    assert error.request_id.startswith("pnx-") and CODE in str(error) and error.request_id in str(error), str(error)
    assert "Q7ZT2XV5" not in repr(error.body), error.body
    return error


def denied_openai(call):
    error = denied(call, openai.PermissionDeniedError)
    assert (error.code, error.type, error.param) == (CODE, "permission_error", None), error.body
    assert (error.body["reason_code"], error.body["policy_version"]) == (CODE, 7), error.body
    assert error.body["request_id"] == error.request_id, error.body


def denied_anthropic(call):
    error = denied(call, anthropic.PermissionDeniedError)
    assert error.body["type"] == "error" and error.body["request_id"] == error.request_id, error.body
    about = error.body["error"]
    assert (about["type"], about["reason_code"], about["policy_version"]) == ("permission_error", CODE, 7), error.body


def redacted(call):
    """`call` is one request that goes on, and its answer says what was replaced."""
    raw, requests = record.counted(call)
    assert requests == [1, 1], requests
    assert raw.headers["x-penaxtra-redacted"] == "1", raw.headers
    return raw.parse()


def run_openai():
    client = openai.OpenAI(api_key="mock", base_url=BASE + "/v1")
    assert client.max_retries > 0
    chat = {"model": "mock-small", "messages": says(SECRET)}
    respond = {"model": "mock-small", "input": SECRET}

    def blocked_chat():
        denied_openai(lambda: client.chat.completions.create(**chat))

    def blocked_chat_stream():
        denied_openai(lambda: client.chat.completions.create(**chat, stream=True))

    def blocked_chat_stream_assembled_by_the_sdk():
        denied_openai(lambda: client.chat.completions.stream(**chat).__enter__())

    def blocked_response():
        denied_openai(lambda: client.responses.create(**respond))

    def blocked_response_stream():
        denied_openai(lambda: client.responses.create(**respond, stream=True))

    def blocked_embedding():
        denied_openai(lambda: client.embeddings.create(model="mock-small", input=[SECRET]))

    def blocked_asynchronous_stream():
        async def ask():
            async with openai.AsyncOpenAI(api_key="mock", base_url=BASE + "/v1") as asynchronous:
                return await asynchronous.chat.completions.create(**chat, stream=True)

        denied_openai(lambda: asyncio.run(ask()))

    def redacted_chat_stream():
        create = client.chat.completions.with_raw_response.create
        chunks = list(redacted(lambda: create(model="mock-small", messages=says(ADDRESS), stream=True)))
        assert len(chunks) > 2

    def redacted_chat():
        create = client.chat.completions.with_raw_response.create
        answer = redacted(lambda: create(model="mock-small", messages=says(ADDRESS)))
        assert answer.choices[0].message.content.startswith("You sent 4 words.")

    record.run([
        blocked_chat, blocked_chat_stream, blocked_chat_stream_assembled_by_the_sdk, blocked_response,
        blocked_response_stream, blocked_embedding, blocked_asynchronous_stream, redacted_chat_stream, redacted_chat,
    ])


def run_anthropic():
    client = anthropic.Anthropic(api_key="mock", base_url=BASE)
    assert client.max_retries > 0
    ask = {"model": "mock-large", "max_tokens": 900, "messages": says(SECRET)}
    tell = {**ask, "messages": says(ADDRESS)}

    def blocked_message():
        denied_anthropic(lambda: client.messages.create(**ask))

    def blocked_message_stream():
        denied_anthropic(lambda: client.messages.create(**ask, stream=True))

    def blocked_message_stream_assembled_by_the_sdk():
        denied_anthropic(lambda: client.messages.stream(**ask).__enter__())

    def blocked_count_of_tokens():
        denied_anthropic(lambda: client.messages.count_tokens(model="mock-large", messages=says(SECRET)))

    def blocked_asynchronous_stream():
        async def asked():
            async with anthropic.AsyncAnthropic(api_key="mock", base_url=BASE) as asynchronous:
                return await asynchronous.messages.create(**ask, stream=True)

        denied_anthropic(lambda: asyncio.run(asked()))

    def redacted_message_stream():
        events = list(redacted(lambda: client.messages.with_raw_response.create(**tell, stream=True)))
        assert len(events) > 2

    def redacted_message():
        answer = redacted(lambda: client.messages.with_raw_response.create(**tell))
        assert answer.content[0].text.startswith("You sent 4 words.")

    record.run([
        blocked_message, blocked_message_stream, blocked_message_stream_assembled_by_the_sdk, blocked_count_of_tokens,
        blocked_asynchronous_stream, redacted_message_stream, redacted_message,
    ])


{"openai": run_openai, "anthropic": run_anthropic}[SDK]()
