// The package in both systems of modules, and a process that ends by itself.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import oz, * as names from 'oz-sdk';

const here = dirname(fileURLToPath(import.meta.url));

/** Runs a program; gives what it printed. It must end by itself. */
function run(type, source) {
  const args = [`--input-type=${type}`, '--eval', source];
  const done = spawnSync(process.execPath, args, { cwd: here, encoding: 'utf8', timeout: 60_000 });
  assert.equal(done.status, 0, `${done.signal ?? ''} ${done.stderr}`);
  return done.stdout.trim();
}

test('both systems of modules give the same objects', () => {
  const required = createRequire(import.meta.url)('oz-sdk');
  assert.equal(oz, names.Oz);
  for (const name of Object.keys(required)) assert.equal(names[name], required[name], name);
});

test('a program in either form calls, and ends by itself', () => {
  const body = 'new Oz().models.list().then(({ models }) => console.log(Array.isArray(models)))';
  assert.equal(run('commonjs', `const { Oz } = require('oz-sdk'); ${body}`), 'true');
  assert.equal(run('module', `import Oz from 'oz-sdk'; ${body}`), 'true');
});

test('nothing that is imported or made keeps a program alive', () => {
  run('commonjs', "require('oz-sdk')");
  run('commonjs', "const { Oz } = require('oz-sdk'); new Oz()");
  const left = "const { Oz } = require('oz-sdk'); const c = new Oz(); c.runs.listAll().next().then(() => console.log('read'))";
  assert.equal(run('commonjs', left), 'read', 'a stream that nobody reads on keeps nothing alive');
  run('commonjs', "const { Oz } = require('oz-sdk'); new Oz().models.list(); process.exit()");
});
