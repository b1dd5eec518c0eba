// Both official Node SDKs behind a policy that blocks AWS keys and redacts e-mail addresses; retries as they come.
// Usage: guarded_node.mjs openai|anthropic BASE_URL (without /v1). The last scenario is one that redacts: whoever runs this can look at
// the last body that the model got.
import assert from 'node:assert';
import { collect, counted, raised, run, sdk } from './record.mjs';

const [name, base] = process.argv.slice(2);
const CODE = 'DLP.SECRET.AWS_ACCESS_KEY';
// In two halves, so that this file holds no key.
const SECRET = `my key is AKIA${'Q7ZT2XV5JNLB3RWD'}, keep it`;
const ADDRESS = 'write to anna.keller@nordwind-handel.de today';
const says = (content) => [{ role: 'user', content }];

/** `call` raises the SDK's own error for 403 after one request, and the model sees none. */
async function denied(call, kind) {
  const [error, requests] = await counted(() => raised(call));
  assert.equal(error.constructor, kind);
  assert.equal(error.status, 403);
  assert.deepEqual(requests, [1, 0]);
  assert(error.requestID.startsWith('pnx-') && error.message.includes(CODE), error.message);
  assert(error.message.includes(error.requestID), error.message);
  assert(!JSON.stringify(error.error).includes('Q7ZT2XV5'));
  return error;
}

/** `call` is one request that goes on, and its answer says what was replaced. */
async function redacted(call) {
  const [{ data, response }, requests] = await counted(() => call().withResponse());
  assert.deepEqual(requests, [1, 1]);
  assert.equal(response.headers.get('x-penaxtra-redacted'), '1');
  return data;
}

async function runOpenai() {
  const { OpenAI } = sdk('openai');
  const client = new OpenAI({ apiKey: 'mock', baseURL: `${base}/v1` });
  assert(client.maxRetries > 0);
  const chat = (text, more) => client.chat.completions.create({ model: 'mock-small', messages: says(text), ...more });
  const respond = (more) => client.responses.create({ model: 'mock-small', input: SECRET, ...more });
  const refused = async (call) => {
    const error = await denied(call, OpenAI.PermissionDeniedError);
    assert.deepEqual([error.code, error.type, error.param], [CODE, 'permission_error', null]);
    assert.deepEqual([error.error.reason_code, error.error.policy_version], [CODE, 7]);
    assert.equal(error.error.request_id, error.requestID);
  };
  await run({
    blocked_chat: () => refused(() => chat(SECRET)),
    blocked_chat_stream: () => refused(() => chat(SECRET, { stream: true })),
    blocked_chat_stream_assembled_by_the_sdk: () =>
      refused(() =>
        client.chat.completions.stream({ model: 'mock-small', messages: says(SECRET) }).finalChatCompletion(),
      ),
    blocked_response: () => refused(() => respond()),
    blocked_response_stream: () => refused(() => respond({ stream: true })),
    blocked_embedding: () => refused(() => client.embeddings.create({ model: 'mock-small', input: [SECRET] })),
    async redacted_chat_stream() {
      assert((await collect(await redacted(() => chat(ADDRESS, { stream: true })))).length > 2);
    },
    async redacted_chat() {
      const answer = await redacted(() => chat(ADDRESS));
      assert(answer.choices[0].message.content.startsWith('You sent 4 words.'));
    },
  });
}

async function runAnthropic() {
  const { Anthropic } = sdk('@anthropic-ai/sdk');
  const client = new Anthropic({ apiKey: 'mock', baseURL: base });
  assert(client.maxRetries > 0);
  const said = (text, more) => ({ model: 'mock-large', max_tokens: 900, messages: says(text), ...more });
  const refused = async (call) => {
    const error = await denied(call, Anthropic.PermissionDeniedError);
    assert.equal(error.error.type, 'error');
    assert.equal(error.error.request_id, error.requestID);
    const { type, reason_code, policy_version } = error.error.error;
    assert.deepEqual([type, reason_code, policy_version], ['permission_error', CODE, 7]);
  };
  await run({
    blocked_message: () => refused(() => client.messages.create(said(SECRET))),
    blocked_message_stream: () => refused(() => client.messages.create(said(SECRET, { stream: true }))),
    blocked_message_stream_assembled_by_the_sdk: () =>
      refused(() => client.messages.stream(said(SECRET)).finalMessage()),
    blocked_count_of_tokens: () =>
      refused(() => client.messages.countTokens({ model: 'mock-large', messages: says(SECRET) })),
    async redacted_message_stream() {
      assert((await collect(await redacted(() => client.messages.create(said(ADDRESS, { stream: true }))))).length > 2);
    },
    async redacted_message() {
      const answer = await redacted(() => client.messages.create(said(ADDRESS)));
      assert(answer.content[0].text.startsWith('You sent 4 words.'));
    },
  });
}

await { openai: runOpenai, anthropic: runAnthropic }[name]();
