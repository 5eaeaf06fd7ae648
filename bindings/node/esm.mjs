// Writes the door for ECMAScript modules: the names of the CommonJS build, so that both give the same objects.

import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const dist = resolve(process.argv[2] ?? 'dist');
const names = Object.keys(createRequire(import.meta.url)(join(dist, 'index.js'))).filter((name) => name !== 'default');
writeFileSync(
  join(dist, 'index.mjs'),
  `import oz from './index.js';\nexport const { ${names.sort().join(', ')} } = oz;\nexport default oz.Oz;\n`,
);
writeFileSync(join(dist, 'index.d.mts'), "export * from './index.js';\nexport { Oz as default } from './index.js';\n");
