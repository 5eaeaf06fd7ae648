// One figure of one package in a process of its own: `node one.mjs ours|published WHAT`. Prints JSON.
//
// Wants OZ_SERVER_URL, OZ_API_KEY, RUN_ID, and both packages where Node finds them from here.

import { createRequire } from 'node:module';

const [who, what] = process.argv.slice(2);
const { OZ_SERVER_URL: url, OZ_API_KEY: apiKey, RUN_ID: id } = process.env;
const require = createRequire(import.meta.url);
const ours = who === 'ours';

/** The package, as programs load it. */
function load() {
  return ours ? require('oz-sdk').Oz : require('oz-agent-sdk').OzAPI;
}

/** A client that tries once, so that an error is seen. */
function client() {
  const Client = load();
  return new Client({ apiKey, baseURL: ours ? url : `${url}/api/v1`, maxRetries: 0 });
}

const get = (made) => (ours ? () => made.runs.get(id) : () => made.agent.runs.retrieve(id));

/** Calls a second, `lanes` at a time. */
async function rate(lanes, calls) {
  const call = get(client());
  const some = async (count) => {
    let left = count;
    const lane = async () => {
      while (left-- > 0) if ((await call()).run_id !== id) throw new Error('another run came');
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  };
  await some(Math.ceil(calls / 10));
  const began = performance.now();
  await some(calls);
  return (calls / (performance.now() - began)) * 1000;
}

const figures = {
  require() {
    const began = performance.now();
    load();
    return performance.now() - began;
  },
  client() {
    const began = performance.now();
    client();
    return performance.now() - began;
  },
  sequential: () => rate(1, 3000),
  concurrent: () => rate(64, 20_000),
  async memory() {
    await rate(64, 5000);
    return process.memoryUsage().rss / 1e6;
  },
  async listing() {
    const made = client();
    const began = performance.now();
    let count = 0;
    if (ours) {
      for await (const run of made.runs.listAll({ limit: 100 })) if (run.run_id) count += 1;
    } else {
      for (let cursor; ; ) {
        const page = await made.agent.runs.list({ limit: 100, ...(cursor && { cursor }) });
        for (const run of page.runs) if (run.run_id) count += 1;
        if (!page.page_info.has_next_page) break;
        cursor = page.page_info.next_cursor;
      }
    }
    if (count < 10_000) throw new Error(`only ${count} runs`);
    return performance.now() - began;
  },
};

console.log(JSON.stringify(await figures[what]()));
