// The declared types against what is there: every class, method and function of one is in the other, and takes as many
// arguments. Methods of the Rust client that a class lacks fail here.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import oz, * as real from 'oz-sdk';
import ts from 'typescript';
import { camel, dist, methods } from './inside.mjs';

const files = [join(dist, 'index.d.ts')];
const options = { module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16, strict: true };
const program = ts.createProgram(files, { ...options, target: ts.ScriptTarget.ES2022 });
const checker = program.getTypeChecker();
const module = checker.getSymbolAtLocation(program.getSourceFile(files[0]));
const declared = new Map(
  checker.getExportsOfModule(module).map((symbol) => {
    const found = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    return [symbol.name, found];
  }),
);

/** What an object has of its own, without what is hidden. */
const own = (object) => Object.getOwnPropertyNames(object).filter((name) => name !== 'constructor' && name[0] !== '_');

/** The members that a class declares itself, by name. */
function members(symbol, statics) {
  const found = new Map();
  for (const declaration of symbol.declarations.filter(ts.isClassDeclaration)) {
    for (const member of declaration.members) {
      const flags = ts.getCombinedModifierFlags(member);
      if (Boolean(flags & ts.ModifierFlags.Static) !== statics || flags & ts.ModifierFlags.Protected) continue;
      const name = member.name && !ts.isPrivateIdentifier(member.name) && member.name.getText();
      if (name && name[0] !== '_' && name[0] !== '[' && flags !== ts.ModifierFlags.Private) found.set(name, member);
    }
  }
  return found;
}

test('every exported value is declared, and every declared value is there', () => {
  const values = [...declared].filter(([, symbol]) => symbol.flags & ts.SymbolFlags.Value).map(([name]) => name);
  const there = [...Object.keys(real), 'default'].filter((name, i, all) => all.indexOf(name) === i);
  assert.deepEqual([...new Set(values)].sort(), there.sort());
  assert.ok(values.length > 40, `only ${values.length} values`);
});

test('every class has the methods that it declares, and no others', () => {
  let walked = 0;
  for (const [name, symbol] of declared) {
    if (!(symbol.flags & ts.SymbolFlags.Class)) continue;
    const prototype = real[name].prototype;
    const said = members(symbol, false);
    for (const [method, member] of said) {
      if (!ts.isMethodDeclaration(member)) continue;
      const there = prototype[method];
      assert.equal(typeof there, 'function', `${name}.${method} is declared and not there`);
      const first = member.parameters.findIndex((p) => p.questionToken || p.dotDotDotToken);
      const required = first < 0 ? member.parameters.length : first;
      assert.equal(there.length <= member.parameters.length, true, `${name}.${method} takes more than it declares`);
      assert.ok(there.length >= required, `${name}.${method} takes fewer than it declares`);
      walked += 1;
    }
    for (const method of own(prototype).filter((each) => typeof each === 'string' && each !== 'name')) {
      assert.ok(said.has(method), `${name}.${method} is there and not declared`);
    }
  }
  assert.ok(walked > 100, `only ${walked} methods`);
});

test('every property of a client is declared, and is of the class that it declares', () => {
  const client = new oz({ baseURL: 'http://127.0.0.1:1', apiKey: 'k' });
  const type = checker.getDeclaredTypeOfSymbol(declared.get('Oz'));
  for (const property of Object.keys(client)) {
    const symbol = type.getProperty(property);
    assert.ok(symbol, `client.${property} is not declared`);
    const said = checker.typeToString(checker.getTypeOfSymbol(symbol));
    assert.equal(client[property].constructor.name, said, `client.${property}`);
  }
});

test('no method of the Rust client is missing', () => {
  const client = new oz({ baseURL: 'http://127.0.0.1:1', apiKey: 'k' });
  const missing = methods().filter(({ noun, name }) => {
    const owner = noun ? client[camel(noun)] : client;
    return typeof owner?.[camel(name)] !== 'function';
  });
  assert.deepEqual(missing, []);
  assert.ok(methods().length > 100);
});
