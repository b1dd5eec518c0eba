// Scenarios of the official Node SDK of Anthropic. Usage: anthropic_node.mjs BASE_URL.
import assert from 'node:assert';
import { LONG, PARAMETERS, aborts, broken, collect, refusal, run, sdk, three } from './record.mjs';

const { Anthropic } = sdk('@anthropic-ai/sdk');
const client = new Anthropic({ apiKey: 'mock', baseURL: process.argv[2], maxRetries: 0 });
const messages = [{ role: 'user', content: [{ type: 'text', text: 'one two three' }] }];
const tools = [
  { name: 'weather', description: 'Weather', input_schema: PARAMETERS },
  { name: 'clock', input_schema: { type: 'object', properties: {} } },
];
const model = 'mock-large';
const said = (more) => ({ model, max_tokens: 900, messages, ...more });
const create = (more, options) => client.messages.create(said(more), options);

await run({
  async messages_unary() {
    const answer = await create({ system: 'Be brief.' });
    assert(answer.content[0].text.startsWith('You sent 3 words.'));
    return answer;
  },
  async messages_stream() {
    const events = await collect(create({ stream: true }));
    const text = events.filter((event) => event.type === 'content_block_delta').map((event) => event.delta.text);
    assert.equal(text.join(''), (await create()).content[0].text);
    return events;
  },
  async messages_stream_assembled_by_the_sdk() {
    const final = await client.messages.stream(said()).finalMessage();
    assert.equal(final.stop_reason, 'end_turn');
    return final;
  },
  async messages_tools() {
    const answer = await create({ tools });
    assert.deepEqual(answer.content.map((block) => block.type), ['text', 'tool_use', 'tool_use']);
    return answer;
  },
  async messages_tools_stream() {
    const events = await collect(create({ tools, stream: true }));
    const deltas = events.filter((event) => event.type === 'content_block_delta' && event.index === 1);
    assert.equal(JSON.parse(deltas.map((event) => event.delta.partial_json).join('')).days, 42);
    return events;
  },
  async messages_tools_stream_assembled_by_the_sdk() {
    const final = await client.messages.stream(said({ tools })).finalMessage();
    assert(final.content[1].input.city.startsWith('Zürich'));
    return final;
  },
  messages_tool_result: () =>
    create({
      messages: [
        ...messages,
        { role: 'assistant', content: 'x' },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'sunny' }] },
      ],
      tools,
    }),
  messages_long_prompt: () => create({ messages: [{ role: 'user', content: LONG }] }),
  async messages_length() {
    const answer = await create({ max_tokens: 3 });
    assert.equal(answer.stop_reason, 'max_tokens');
    return answer;
  },
  count_tokens: () => client.messages.countTokens({ model, messages }),
  async models() {
    const listed = await collect(client.models.list());
    return [listed, await client.models.retrieve(listed[0].id)];
  },
  error_400: () => refusal(() => create({ max_tokens: undefined })),
  error_401: () => refusal(() => create({ model: 'error-401' })),
  error_404: () => refusal(() => client.models.retrieve('nothing')),
  error_429: () => refusal(() => create({ model: 'error-429' })),
  error_429_for_a_stream: () => refusal(() => create({ model: 'error-429', stream: true })),
  error_500: () => refusal(() => create({ model: 'error-500' })),
  error_529: () => refusal(() => create({ model: 'error-529' })),
  error_in_a_stream: () => refusal(() => collect(create({ model: 'error-stream', stream: true }))),
  cut_stream: () => broken(() => collect(create({ model: 'cut-stream', stream: true }))),
  cut_body: () => broken(() => create({ model: 'cut-stream' })),
  cancel_mid_stream: () =>
    aborts(() =>
      three(create({ model: 'tokens-2000', max_tokens: 2000, stream: true }, { headers: { 'x-mock-delay-ms': '20' } })),
    ),
  concurrent_requests: () =>
    Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const more = { messages: [{ role: 'user', content: 'word '.repeat(1 + index) }] };
        return index % 2 ? create(more) : client.messages.stream(said(more)).finalMessage();
      }),
    ),
});
