"""Both official Python SDKs behind a policy about answers: card numbers and e-mail addresses are masked, an AWS key ends the answer, and
a customer's address that leaves under a placeholder comes back.

Usage: answers_python.py openai|anthropic BASE_URL (without /v1). The model says what its prompt asks for, a few characters an event."""

import asyncio
import json
import os
import sys
import urllib.request

import anthropic
import openai

import record

SDK, BASE = sys.argv[1:]
CODE = "DLP.SECRET.AWS_ACCESS_KEY"
CLEAR = 'card 4111 1111 1111 1111, "desk" otto.maier@suedwind-handel.de: that is all'
MASKED = 'card [CARD], "desk" [EMAIL]: that is all'
# In two halves, so that this file holds no key.
BEFORE, SECRET = "the key is: ", "AKIA" + "Q7ZT2XV5JNLB3RWD, and that stays between us"
CUSTOMER = "anna.keller@nordwind-handel.de"
LETTER = f"the customer {CUSTOMER} is told, and {CUSTOMER} writes back"


def ask(text, kind="text"):
    """A prompt that the model answers with this text, three characters an event."""
    return f"split=3 pause=2 kind={kind} say: {text}"


def argument(text):
    """The arguments of the call that says the text."""
    return json.dumps({"q": text}, separators=(",", ":"))


def plain(text):
    return text


def stats():
    with urllib.request.urlopen(os.environ["MOCK_STATS"], timeout=5) as answer:
        return json.load(answer)


def once(call):
    """What `call` gave, after one request that went on to the model once."""
    seen, requests = record.counted(call)
    assert requests == [1, 1], requests
    return seen


def masked(read, form):
    said = once(lambda: "".join(read(CLEAR)))
    assert said == form(MASKED), said


def restored(read, form):
    said = once(lambda: "".join(read(LETTER)))
    assert said == form(LETTER), said
    got = stats()["last"]
    assert "the customer [EMAIL_1] is told, and [EMAIL_1] writes" in got and "keller" not in got, got


def cut(read, form, check):
    """The SDK raises in the middle: what stands before the key has come, and nothing else."""
    pieces = []

    def consume():
        try:
            for piece in read(BEFORE + SECRET):
                pieces.append(piece)
        except Exception as error:
            return error
        raise AssertionError(f"no exception was raised: {pieces}")

    error = once(consume)
    said = "".join(pieces)
    assert said == form(BEFORE).removesuffix('"}'), said
    assert CODE in str(error) and "Q7ZT2XV5" not in repr(vars(error)), repr(vars(error))
    check(error)


def blocked(read, kind):
    try:
        once(lambda: "".join(read(BEFORE + SECRET)))
    except kind as error:
        assert type(error) is kind and error.status_code == 403 and CODE in str(error), repr(error)
        assert "Q7ZT2XV5" not in repr(vars(error)), error.body
        return
    raise AssertionError("no exception was raised")


def run(streams, wholes, check, kind):
    """Each way of reading with each thing that happens to an answer. A way is the function that reads and the form of what it reads."""
    scenarios = []

    def add(name, call, *arguments):
        def scenario():
            call(*arguments)

        scenario.__name__ = name
        scenarios.append(scenario)

    for name, (read, form) in streams.items():
        add(f"masked_{name}", masked, read, form)
        add(f"restored_{name}", restored, read, form)
        add(f"cut_{name}", cut, read, form, check)
    for name, (read, form) in wholes.items():
        add(f"masked_{name}", masked, read, form)
        add(f"restored_{name}", restored, read, form)
        add(f"blocked_{name}", blocked, read, kind)
    record.run(scenarios)


def run_openai():
    client = openai.OpenAI(api_key="mock", base_url=BASE + "/v1")
    assert client.max_retries > 0

    def chat(text, kind="text"):
        return {"model": "mock", "messages": [{"role": "user", "content": ask(text, kind)}]}

    def respond(text, kind="text"):
        return {"model": "mock", "input": ask(text, kind)}

    def chat_stream(text):
        for chunk in client.chat.completions.create(**chat(text), stream=True):
            yield from (choice.delta.content or "" for choice in chunk.choices)

    def chat_stream_of_the_helper(text):
        said = []
        with client.chat.completions.stream(**chat(text)) as stream:
            for event in stream:
                if event.type == "content.delta":
                    said.append(event.delta)
                    yield event.delta
            assert stream.get_final_completion().choices[0].message.content == "".join(said)

    def chat_call_stream(text):
        for chunk in client.chat.completions.create(**chat(text, "tool"), stream=True):
            for choice in chunk.choices:
                yield from (call.function.arguments or "" for call in choice.delta.tool_calls or [])

    def chat_call_stream_of_the_helper(text):
        said = []
        with client.chat.completions.stream(**chat(text, "tool")) as stream:
            for event in stream:
                if event.type == "tool_calls.function.arguments.delta":
                    said.append(event.arguments_delta)
                    yield event.arguments_delta
            [call] = stream.get_final_completion().choices[0].message.tool_calls
            assert call.function.arguments == "".join(said)

    def asynchronous_chat_stream(text):
        async def read():
            pieces = []
            async with openai.AsyncOpenAI(api_key="mock", base_url=BASE + "/v1") as asynchronous:
                try:
                    async for chunk in await asynchronous.chat.completions.create(**chat(text), stream=True):
                        pieces += [choice.delta.content or "" for choice in chunk.choices]
                except openai.APIError as error:
                    return pieces, error
            return pieces, None

        pieces, error = asyncio.run(read())
        yield from pieces
        if error:
            raise error

    def completion_stream(text):
        for part in client.completions.create(model="mock", prompt=ask(text), stream=True):
            yield from (choice.text for choice in part.choices)

    def of_response(events, kind):
        """The deltas; whatever repeats them must be equal to them."""
        said = []
        for event in events:
            if event.type == f"response.{kind}.delta":
                said.append(event.delta)
                yield event.delta
            elif event.type == f"response.{kind}.done":
                assert (event.text if kind == "output_text" else event.arguments) == "".join(said), event
            elif event.type == "response.completed":
                [item] = event.response.output
                whole = event.response.output_text if kind == "output_text" else item.arguments
                assert whole == "".join(said), event

    def response_stream(text):
        yield from of_response(client.responses.create(**respond(text), stream=True), "output_text")

    def response_stream_of_the_helper(text):
        with client.responses.stream(**respond(text)) as stream:
            said = []
            for piece in of_response(stream, "output_text"):
                said.append(piece)
                yield piece
            assert stream.get_final_response().output_text == "".join(said)

    def response_call_stream(text):
        yield from of_response(
            client.responses.create(**respond(text, "tool"), stream=True), "function_call_arguments"
        )

    def whole_chat(text):
        return client.chat.completions.create(**chat(text)).choices[0].message.content

    def whole_chat_call(text):
        [call] = client.chat.completions.create(**chat(text, "tool")).choices[0].message.tool_calls
        return call.function.arguments

    def whole_completion(text):
        return client.completions.create(model="mock", prompt=ask(text)).choices[0].text

    def whole_response(text):
        return client.responses.create(**respond(text)).output_text

    def whole_response_call(text):
        return client.responses.create(**respond(text, "tool")).output[0].arguments

    def check(error):
        assert type(error) is openai.APIError, repr(error)
        assert (error.code, error.type, error.param) == (CODE, "permission_error", None), error.body
        assert error.message == error.body["message"] and error.body["request_id"] in error.message, error.body
        assert (error.body["reason_code"], error.body["policy_version"]) == (CODE, 9), error.body

    streams = [
        chat_stream, chat_stream_of_the_helper, asynchronous_chat_stream, completion_stream, response_stream,
        response_stream_of_the_helper,
    ]
    calls = [chat_call_stream, chat_call_stream_of_the_helper, response_call_stream]
    run(ways(streams, calls), ways([whole_chat, whole_completion, whole_response], [whole_chat_call, whole_response_call]),
        check, openai.PermissionDeniedError)


def run_anthropic():
    client = anthropic.Anthropic(api_key="mock", base_url=BASE)
    assert client.max_retries > 0

    def say(text, kind="text"):
        return {"model": "mock", "max_tokens": 900, "messages": [{"role": "user", "content": ask(text, kind)}]}

    def message_stream(text):
        for event in client.messages.create(**say(text), stream=True):
            if event.type == "content_block_delta":
                yield event.delta.text

    def message_stream_of_the_helper(text):
        said = []
        with client.messages.stream(**say(text)) as stream:
            for piece in stream.text_stream:
                said.append(piece)
                yield piece
            assert stream.get_final_message().content[0].text == "".join(said)
            assert stream.get_final_text() == "".join(said)

    def call_stream(text):
        for event in client.messages.create(**say(text, "tool"), stream=True):
            if event.type == "content_block_delta":
                yield event.delta.partial_json

    def call_stream_of_the_helper(text):
        said = []
        with client.messages.stream(**say(text, "tool")) as stream:
            for event in stream:
                if event.type == "input_json":
                    said.append(event.partial_json)
                    yield event.partial_json
            assert stream.get_final_message().content[0].input == json.loads("".join(said))

    def asynchronous_message_stream(text):
        async def read():
            pieces = []
            async with anthropic.AsyncAnthropic(api_key="mock", base_url=BASE) as asynchronous:
                try:
                    async with asynchronous.messages.stream(**say(text)) as stream:
                        async for piece in stream.text_stream:
                            pieces.append(piece)
                except anthropic.APIError as error:
                    return pieces, error
            return pieces, None

        pieces, error = asyncio.run(read())
        yield from pieces
        if error:
            raise error

    def whole_message(text):
        return client.messages.create(**say(text)).content[0].text

    def whole_call(text):
        return argument(client.messages.create(**say(text, "tool")).content[0].input["q"])

    def check(error):
        # The status is the stream's own, which had begun; the type is what tells. `request-id` is the provider's.
        assert type(error) is anthropic.APIStatusError and error.status_code == 200, repr(error)
        assert error.response.headers["x-request-id"] == error.body["request_id"], error.body
        about = error.body["error"]
        assert error.type == about["type"] == "permission_error", error.body
        assert (about["reason_code"], about["policy_version"]) == (CODE, 9), error.body

    streams = [message_stream, message_stream_of_the_helper, asynchronous_message_stream]
    run(ways(streams, [call_stream, call_stream_of_the_helper]), ways([whole_message], [whole_call]), check,
        anthropic.PermissionDeniedError)


def ways(texts, calls):
    return {read.__name__: (read, plain) for read in texts} | {read.__name__: (read, argument) for read in calls}


{"openai": run_openai, "anthropic": run_anthropic}[SDK]()
