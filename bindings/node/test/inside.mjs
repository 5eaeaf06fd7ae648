// What tests see of the package's inside, which its users can't import.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** Where the package is. */
export const dist = dirname(require.resolve('oz-sdk'));

export const { Transport } = require(join(dist, 'transport.js'));
const { addon } = require(join(dist, 'addon.js'));
const { port } = require(join(dist, 'port.js'));

/** How many pieces of work and open streams the native part has. */
export const busy = () => port().native.busy;

/** Every method of the Rust client: its noun, name, kind and arguments. */
export const methods = () => JSON.parse(addon().methods());

/** `list_all` as `listAll`. */
export const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());

/** The schemas of the types of the hooks, by name. */
export const schemas = () => JSON.parse(addon().schemas());
