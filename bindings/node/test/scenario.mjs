// Does the steps of a scenario with this package and prints what it saw. `tests/scenarios/frontends.yaml` says what steps
// are; `tests/tests/stories/frontends.rs` has it done by every front end.

import { readFileSync } from 'node:fs';
import { APIError, Bytes, Items, Oz } from 'oz-sdk';
import { camel } from './inside.mjs';

const [file, me] = process.argv.slice(2);
const client = new Oz();
const variables = { me };
const records = [];

for (const step of JSON.parse(readFileSync(file, 'utf8')).steps) {
  const answer = await done(step);
  for (const [name, path] of Object.entries(step.save ?? {})) variables[name] = at(answer, path);
  const seen = Object.entries(step.record ?? {}).map(([name, path]) => [name, written(at(answer, path) ?? null)]);
  records.push({ step: step.name, record: Object.fromEntries(seen) });
}
console.log(JSON.stringify(records));

/** What a step's call answers; with `fails`, how it failed. */
async function done({ name, call, with: request = {}, take, fails }) {
  try {
    const answer = await called(call, filled(request), take);
    if (!fails) return answer;
  } catch (error) {
    if (!fails || !(error instanceof APIError)) throw error;
    const { status, code, detail, field } = error;
    return { status, code, detail, field };
  }
  throw new Error(`'${name}' must fail and did not`);
}

/** Calls a method by its name. What it takes one by one is told by the names of its parameters. */
async function called(call, request, take) {
  const names = call.split('.').map(camel);
  const method = names.pop();
  const owner = names.reduce((object, name) => object[name], client);
  const [, list] = /^[^(]*\(([^)]*)\)/.exec(owner[method].toString());
  const left = { ...request };
  const args = list.split(',').map((parameter) => {
    const name = parameter.split('=')[0].trim();
    if (name === 'options' || name === '') return undefined;
    if (name === 'request') return left;
    const value = left[name];
    delete left[name];
    return value;
  });
  const answer = owner[method](...args);
  if (answer instanceof Bytes) return { text: await answer.text() };
  if (!(answer instanceof Items)) return answer;
  const items = [];
  for await (const item of answer) {
    items.push(item);
    if (items.length === take) break;
  }
  return { items };
}

/** A value with the variables that its texts name. */
function filled(value) {
  if (typeof value === 'string') {
    const whole = /^\$\{(\w+)\}$/.exec(value);
    if (whole) return known(whole[1]);
    return value.replace(/\$\{(\w+)\}/g, (_, name) => String(known(name)));
  }
  return mapped(value, filled);
}

function known(name) {
  if (!(name in variables)) throw new Error(`there is no variable '${name}'`);
  return variables[name];
}

/** A value with `${x}` in place of the value of each variable, the longest first. */
function written(value) {
  if (typeof value !== 'string') return mapped(value, written);
  const texts = Object.entries(variables).filter(([, text]) => typeof text === 'string' && text !== '');
  texts.sort(([, a], [, b]) => b.length - a.length);
  return texts.reduce((text, [name, found]) => text.replaceAll(found, `\${${name}}`), value);
}

function mapped(value, change) {
  if (Array.isArray(value)) return value.map(change);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, change(inner)]));
}

/** What is at a path; nothing when it is not there. */
function at(value, path) {
  if (path === '.') return value;
  const [first, ...rest] = path.split('.');
  const inner = rest.join('.');
  const on = (found) => (inner === '' || found == null ? found : at(found, inner));
  if (first.endsWith('[]')) {
    const items = value?.[first.slice(0, -2)] ?? [];
    return items.map(on).filter((item) => item != null);
  }
  if (Array.isArray(value)) return on(value.at(Number(first)));
  return on(value?.[first]);
}
