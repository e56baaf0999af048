import { fileURLToPath } from 'node:url';

/** The engine process's main module: two folders below the package's root from both src/cli/serve and dist/cli/serve. */
export const ENGINE_ENTRY = fileURLToPath(new URL('../../engine-process/main.js', import.meta.url));
