import { componentize } from '@bytecodealliance/componentize-js';
import { rename, writeFile } from 'node:fs/promises';

const file = process.argv[2];
const { component } = await componentize({
  sourcePath: 'src/plugin.js',
  witPath: 'wit',
  worldName: 'plugin',
  // The host has no network for plugins. What is left of WASI it links inert: console goes into the
  // task's log, Math.random and Date follow the step's seed and a clock that counts.
  disableFeatures: ['http', 'fetch-event'],
});
// Whoever watches the folder must never see half a file.
await writeFile(`${file}.new`, component);
await rename(`${file}.new`, file);
console.log(`${file}: ${component.length} bytes`);
