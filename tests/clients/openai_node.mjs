// Scenarios of the official Node SDK of OpenAI. Usage: openai_node.mjs BASE_URL (without /v1).
import assert from 'node:assert';
import { LONG, PARAMETERS, aborts, broken, collect, refusal, run, sdk, three } from './record.mjs';

const { OpenAI } = sdk('openai');
const client = new OpenAI({ apiKey: 'mock', baseURL: `${process.argv[2]}/v1`, maxRetries: 0 });
const messages = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'one two three' }];
const tools = [
  { type: 'function', function: { name: 'weather', description: 'Weather', parameters: PARAMETERS } },
  { type: 'function', function: { name: 'clock', parameters: { type: 'object', properties: {} } } },
];
const responseTools = [{ type: 'function', strict: false, ...tools[0].function }];
const model = 'mock-small';
const chat = (more, options) => client.chat.completions.create({ model, messages, ...more }, options);
const respond = (more) => client.responses.create({ model, input: 'one two', ...more });
const textOf = (chunks, index = 0) =>
  chunks.flatMap((chunk) => chunk.choices).filter((choice) => choice.index === index).map((choice) => choice.delta.content ?? '').join('');

await run({
  async chat_unary() {
    const answer = await chat();
    assert(answer.choices[0].message.content.startsWith('You sent 3 words.'));
    return answer;
  },
  async chat_stream() {
    const chunks = await collect(chat({ stream: true, stream_options: { include_usage: true } }));
    assert.equal(textOf(chunks), (await chat()).choices[0].message.content);
    assert(chunks.at(-1).usage.completion_tokens >= 40);
    return chunks;
  },
  chat_stream_assembled_by_the_sdk: () => client.chat.completions.stream({ model, messages }).finalChatCompletion(),
  chat_two_choices: () => chat({ n: 2 }),
  async chat_two_choices_stream() {
    const chunks = await collect(chat({ n: 2, stream: true }));
    const answer = await chat({ n: 2 });
    for (const index of [0, 1]) assert.equal(textOf(chunks, index), answer.choices[index].message.content);
    return chunks;
  },
  async chat_tools() {
    const answer = await chat({ tools });
    assert.equal(JSON.parse(answer.choices[0].message.tool_calls[0].function.arguments).days, 42);
    return answer;
  },
  async chat_tools_stream() {
    const chunks = await collect(chat({ tools, stream: true }));
    const calls = chunks.flatMap((chunk) => chunk.choices).flatMap((choice) => choice.delta.tool_calls ?? []);
    const fragments = calls.filter((call) => call.index === 0).map((call) => call.function.arguments ?? '');
    assert(JSON.parse(fragments.join('')).city.startsWith('Zürich'));
    return chunks;
  },
  chat_tool_result: () =>
    chat({ messages: [...messages, { role: 'tool', tool_call_id: 'call_1', content: '{"sky":"clear"}' }], tools }),
  chat_long_prompt: () => chat({ messages: [{ role: 'user', content: LONG }] }),
  async chat_length() {
    const answer = await chat({ max_completion_tokens: 3 });
    assert.equal(answer.choices[0].finish_reason, 'length');
    return answer;
  },
  completions: () => client.completions.create({ model, prompt: 'one two', n: 2 }),
  completions_stream: () => collect(client.completions.create({ model, prompt: 'one two', stream: true })),
  async embeddings() {
    const answer = await client.embeddings.create({ model, input: ['one', 'two words'] });
    assert.equal(answer.data[1].embedding.length, 1536);
    return answer;
  },
  embeddings_as_numbers: () => client.embeddings.create({ model, input: 'one', encoding_format: 'float', dimensions: 8 }),
  async models() {
    const listed = await collect(client.models.list());
    return [listed, await client.models.retrieve(listed[0].id)];
  },
  async responses() {
    const answer = await respond({ instructions: 'Be brief.' });
    assert(answer.output_text.startsWith('You sent 2 words.'));
    return answer;
  },
  async responses_stream() {
    const events = await collect(respond({ stream: true }));
    const text = events.filter((event) => event.type === 'response.output_text.delta').map((event) => event.delta);
    assert.equal(events.at(-1).response.output[0].content[0].text, text.join(''));
    return events;
  },
  responses_stream_assembled_by_the_sdk: () => client.responses.stream({ model, input: 'one two' }).finalResponse(),
  responses_tools: () => respond({ tools: responseTools }),
  async responses_tools_stream() {
    const events = await collect(respond({ tools: responseTools, stream: true }));
    const fragments = events.filter((event) => event.type === 'response.function_call_arguments.delta');
    assert.equal(JSON.parse(fragments.map((event) => event.delta).join('')).unit, 'celsius');
    return events;
  },
  error_400: () => refusal(() => chat({ messages: undefined })),
  error_401: () => refusal(() => chat({ model: 'error-401' })),
  error_404: () => refusal(() => client.models.retrieve('nothing')),
  error_429: () => refusal(() => chat({ model: 'error-429' })),
  error_429_for_a_stream: () => refusal(() => chat({ model: 'error-429', stream: true })),
  error_500: () => refusal(() => chat({ model: 'error-500' })),
  error_529: () => refusal(() => chat({ model: 'error-529' })),
  error_in_a_stream: () => refusal(() => collect(chat({ model: 'error-stream', stream: true }))),
  cut_stream: () => broken(() => collect(chat({ model: 'cut-stream', stream: true }))),
  cut_body: () => broken(() => chat({ model: 'cut-stream' })),
  cancel_mid_stream: () =>
    aborts(() => three(chat({ model: 'tokens-2000', stream: true }, { headers: { 'x-mock-delay-ms': '20' } }))),
  concurrent_requests: () =>
    Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const say = [{ role: 'user', content: 'word '.repeat(index) }];
        return index % 2 ? chat({ messages: say }) : textOf(await collect(chat({ messages: say, stream: true })));
      }),
    ),
});
