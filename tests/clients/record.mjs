// What the Node scenario files share: run each scenario, print its result as one line of JSON, compare nothing.
// The SDKs are taken from PNX_CLIENTS_DIR, not from beside this file: nothing is installed into the source tree.
import assert from 'node:assert';
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.PNX_CLIENTS_DIR}/node/package.json`);
export const sdk = (name) => require(name);

export async function run(scenarios) {
  for (const [name, scenario] of Object.entries(scenarios)) {
    const line = { name };
    try {
      line.result = await scenario();
    } catch (error) {
      line.failure = String(error?.stack ?? error);
    }
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}

export async function collect(stream) {
  const events = [];
  for await (const event of await stream) events.push(event);
  return events;
}

/** The typed exception that `call` raises, as data. */
export async function refusal(call) {
  try {
    await call();
  } catch (error) {
    const { status = null, message, error: body = null } = error;
    return { class: error.constructor.name, status, message, body };
  }
  throw new assert.AssertionError({ message: 'no exception was raised' });
}

/** Only the class: the words for a broken connection are the transport's. */
export const broken = async (call) => ({ class: (await refusal(call)).class });

const abortedStreams = async () => (await (await fetch(process.env.MOCK_STATS)).json()).aborted_streams;

/** Whether the model's side learns within two seconds that `call` left its stream. */
export async function aborts(call) {
  const before = await abortedStreams();
  const seen = await call();
  const deadline = performance.now() + 2000;
  while ((await abortedStreams()) === before) {
    assert(performance.now() < deadline, 'the upstream stream went on for two seconds');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return { seen, aborted: (await abortedStreams()) - before };
}

/** The first three events of a stream, which is then left: leaving the loop aborts the request. */
export async function three(stream) {
  const seen = [];
  for await (const event of await stream) {
    seen.push(event);
    if (seen.length === 3) break;
  }
  return seen;
}

/** Requests so far: to the gateway, and on to the model. */
async function counts() {
  const page = await (await fetch(process.env.GATEWAY_METRICS)).text();
  const { requests } = await (await fetch(process.env.MOCK_STATS)).json();
  return [Number(page.match(/^pnx_requests_total (\d+)$/m)[1]), requests];
}

/** What `call` gave, and how many requests it made: to the gateway, and on to the model. */
export async function counted(call) {
  const before = await counts();
  const seen = await call();
  return [seen, (await counts()).map((after, index) => after - before[index])];
}

/** The exception that `call` raises. */
export async function raised(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: 'no exception was raised' });
}

export const PARAMETERS = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' }, unit: { enum: ['celsius', 'kelvin'] } },
  required: ['city'],
};
export const LONG = 'Every word of this sentence travels, café and 東京 and 🙂 too. '.repeat(4000);
