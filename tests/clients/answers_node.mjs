// Both official Node SDKs behind a policy about answers: card numbers and e-mail addresses are masked, an AWS key ends the answer, and a
// customer's address that leaves under a placeholder comes back.
// Usage: answers_node.mjs openai|anthropic BASE_URL (without /v1). The model says what its prompt asks for, a few characters an event.
import assert from 'node:assert';
import { counted, raised, run, sdk } from './record.mjs';

const [name, base] = process.argv.slice(2);
const CODE = 'DLP.SECRET.AWS_ACCESS_KEY';
const CLEAR = 'card 4111 1111 1111 1111, "desk" otto.maier@suedwind-handel.de: that is all';
const MASKED = 'card [CARD], "desk" [EMAIL]: that is all';
// In two halves, so that this file holds no key.
const BEFORE = 'the key is: ';
const SECRET = `AKIA${'Q7ZT2XV5JNLB3RWD'}, and that stays between us`;
const CUSTOMER = 'anna.keller@nordwind-handel.de';
const LETTER = `the customer ${CUSTOMER} is told, and ${CUSTOMER} writes back`;

/** A prompt that the model answers with this text, three characters an event. */
const ask = (text, kind = 'text') => `split=3 pause=2 kind=${kind} say: ${text}`;
const says = (text, kind) => [{ role: 'user', content: ask(text, kind) }];

/** The arguments of the call that says the text. */
const argument = (text) => JSON.stringify({ q: text });
const plain = (text) => text;

/** What `call` gave, after one request that went on to the model once. */
async function once(call) {
  const [seen, requests] = await counted(call);
  assert.deepEqual(requests, [1, 1]);
  return seen;
}

async function read(way, text) {
  const pieces = [];
  await way(text, (piece) => pieces.push(piece));
  return pieces.join('');
}

async function masked(way, form) {
  assert.equal(await once(() => read(way, CLEAR)), form(MASKED));
}

async function restored(way, form) {
  assert.equal(await once(() => read(way, LETTER)), form(LETTER));
  const { last } = await (await fetch(process.env.MOCK_STATS)).json();
  assert(last.includes('the customer [EMAIL_1] is told, and [EMAIL_1] writes') && !last.includes('keller'), last);
}

/** All that is known of an error, its own message and those that are not enumerable included. */
const all = (error) => JSON.stringify([error.message, error.stack, error.error, error]);

/** The SDK raises in the middle: what stands before the key has come, and nothing else. */
async function cut(way, form, check) {
  const pieces = [];
  const error = await once(() => raised(() => way(BEFORE + SECRET, (piece) => pieces.push(piece))));
  assert.equal(pieces.join(''), form(BEFORE).replace(/"}$/, ''));
  assert(error.message.includes(CODE) && !all(error).includes('Q7ZT2XV5'), all(error));
  check(error);
}

async function blocked(way, kind) {
  const error = await once(() => raised(() => read(way, BEFORE + SECRET)));
  assert.equal(error.constructor, kind);
  assert(error.status === 403 && error.message.includes(CODE) && !all(error).includes('Q7ZT2XV5'), all(error));
}

/** Each way of reading with each thing that happens to an answer. A way is a function that gives what it reads, and the form of that. */
async function runAll(streams, wholes, check, kind) {
  const scenarios = {};
  for (const [way, form] of streams) {
    scenarios[`masked_${way.name}`] = () => masked(way, form);
    scenarios[`restored_${way.name}`] = () => restored(way, form);
    scenarios[`cut_${way.name}`] = () => cut(way, form, check);
  }
  for (const [way, form] of wholes) {
    const give = async (text, to) => to(await way(text));
    scenarios[`masked_${way.name}`] = () => masked(give, form);
    scenarios[`restored_${way.name}`] = () => restored(give, form);
    scenarios[`blocked_${way.name}`] = () => blocked(give, kind);
  }
  await run(scenarios);
}

async function runOpenai() {
  const { OpenAI } = sdk('openai');
  const client = new OpenAI({ apiKey: 'mock', baseURL: `${base}/v1` });
  assert(client.maxRetries > 0);
  const model = 'mock';
  const chat = (text, kind, more) => client.chat.completions.create({ model, messages: says(text, kind), ...more });
  const respond = (text, kind, more) => client.responses.create({ model, input: ask(text, kind), ...more });

  async function chat_stream(text, to) {
    for await (const chunk of await chat(text, 'text', { stream: true })) {
      for (const choice of chunk.choices) to(choice.delta.content ?? '');
    }
  }
  async function chat_stream_of_the_helper(text, to) {
    const said = [];
    const stream = client.chat.completions.stream({ model, messages: says(text) });
    stream.on('content', (piece) => {
      said.push(piece);
      to(piece);
    });
    assert.equal(await stream.finalContent(), said.join(''));
  }
  async function chat_call_stream(text, to) {
    for await (const chunk of await chat(text, 'tool', { stream: true })) {
      for (const call of chunk.choices.flatMap((choice) => choice.delta.tool_calls ?? [])) {
        to(call.function.arguments ?? '');
      }
    }
  }
  async function chat_call_stream_of_the_helper(text, to) {
    const said = [];
    const stream = client.chat.completions.stream({ model, messages: says(text, 'tool') });
    stream.on('tool_calls.function.arguments.delta', ({ arguments_delta: piece }) => {
      said.push(piece);
      to(piece);
    });
    const [call] = (await stream.finalMessage()).tool_calls;
    assert.equal(call.function.arguments, said.join(''));
  }
  async function completion_stream(text, to) {
    for await (const part of await client.completions.create({ model, prompt: ask(text), stream: true })) {
      for (const choice of part.choices) to(choice.text);
    }
  }
  /** The deltas; whatever repeats them must be equal to them. */
  async function ofResponse(stream, kind, to) {
    const said = [];
    for await (const event of stream) {
      if (event.type === `response.${kind}.delta`) {
        said.push(event.delta);
        to(event.delta);
      } else if (event.type === `response.${kind}.done`) {
        assert.equal(event.text ?? event.arguments, said.join(''));
      } else if (event.type === 'response.completed') {
        const [item] = event.response.output;
        assert.equal(item.arguments ?? item.content[0].text, said.join(''));
      }
    }
    return said.join('');
  }
  async function response_stream(text, to) {
    await ofResponse(await respond(text, 'text', { stream: true }), 'output_text', to);
  }
  async function response_stream_of_the_helper(text, to) {
    const stream = client.responses.stream({ model, input: ask(text) });
    const said = await ofResponse(stream, 'output_text', to);
    assert.equal((await stream.finalResponse()).output_text, said);
  }
  async function response_call_stream(text, to) {
    await ofResponse(await respond(text, 'tool', { stream: true }), 'function_call_arguments', to);
  }
  const whole_chat = async (text) => (await chat(text)).choices[0].message.content;
  const whole_chat_call = async (text) => (await chat(text, 'tool')).choices[0].message.tool_calls[0].function.arguments;
  const whole_completion = async (text) =>
    (await client.completions.create({ model, prompt: ask(text) })).choices[0].text;
  const whole_response = async (text) => (await respond(text)).output_text;
  const whole_response_call = async (text) => (await respond(text, 'tool')).output[0].arguments;

  const check = (error) => {
    assert.equal(error.constructor, OpenAI.APIError);
    assert.deepEqual([error.code, error.type, error.param], [CODE, 'permission_error', null]);
    assert.equal(error.message, error.error.message);
    assert(error.requestID.startsWith('pnx-') && error.message.includes(error.requestID), error.message);
    const { reason_code, policy_version, request_id } = error.error;
    assert.deepEqual([reason_code, policy_version, request_id], [CODE, 9, error.requestID]);
  };
  const texts = [chat_stream, chat_stream_of_the_helper, completion_stream, response_stream, response_stream_of_the_helper];
  const calls = [chat_call_stream, chat_call_stream_of_the_helper, response_call_stream];
  await runAll(
    ways(texts, calls),
    ways([whole_chat, whole_completion, whole_response], [whole_chat_call, whole_response_call]),
    check,
    OpenAI.PermissionDeniedError,
  );
}

async function runAnthropic() {
  const { Anthropic } = sdk('@anthropic-ai/sdk');
  const client = new Anthropic({ apiKey: 'mock', baseURL: base });
  assert(client.maxRetries > 0);
  const said = (text, kind) => ({ model: 'mock', max_tokens: 900, messages: says(text, kind) });

  async function message_stream(text, to) {
    for await (const event of await client.messages.create({ ...said(text), stream: true })) {
      if (event.type === 'content_block_delta') to(event.delta.text);
    }
  }
  async function message_stream_of_the_helper(text, to) {
    const pieces = [];
    const stream = client.messages.stream(said(text)).on('text', (piece) => {
      pieces.push(piece);
      to(piece);
    });
    const message = await stream.finalMessage();
    assert.equal(message.content[0].text, pieces.join(''));
    assert.equal(await stream.finalText(), pieces.join(''));
  }
  async function call_stream(text, to) {
    for await (const event of await client.messages.create({ ...said(text, 'tool'), stream: true })) {
      if (event.type === 'content_block_delta') to(event.delta.partial_json);
    }
  }
  async function call_stream_of_the_helper(text, to) {
    const pieces = [];
    const stream = client.messages.stream(said(text, 'tool')).on('inputJson', (piece) => {
      pieces.push(piece);
      to(piece);
    });
    assert.deepEqual((await stream.finalMessage()).content[0].input, JSON.parse(pieces.join('')));
  }
  const whole_message = async (text) => (await client.messages.create(said(text))).content[0].text;
  const whole_call = async (text) => argument((await client.messages.create(said(text, 'tool'))).content[0].input.q);

  const check = (error) => {
    // No status: the stream had begun with 200. The type is what tells. `request-id` is the provider's.
    assert.equal(error.constructor, Anthropic.APIError);
    assert.equal(error.type, 'permission_error');
    const { type, error: about, request_id } = error.error;
    const id = error.headers.get('x-request-id');
    assert.deepEqual([type, about.type, request_id], ['error', 'permission_error', id]);
    assert.deepEqual([about.reason_code, about.policy_version], [CODE, 9]);
  };
  await runAll(
    ways([message_stream, message_stream_of_the_helper], [call_stream, call_stream_of_the_helper]),
    ways([whole_message], [whole_call]),
    check,
    Anthropic.PermissionDeniedError,
  );
}

const ways = (texts, calls) => [...texts.map((way) => [way, plain]), ...calls.map((way) => [way, argument])];

await { openai: runOpenai, anthropic: runAnthropic }[name]();
