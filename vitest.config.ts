import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(`src/${path}`, import.meta.url));

export default defineConfig({
  // What examples import as their users do is this checkout.
  resolve: {
    alias: [
      { find: /^latentd\/nodes$/, replacement: source('nodes/public.ts') },
      { find: /^latentd$/, replacement: source('index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts', 'examples/**/*.test.ts'],
    // Inference uses every core by itself; files in parallel would only fight over two of them.
    fileParallelism: false,
    // One process loads the sources once for all files; a process a file spent a fifth of the suite's time on loading them again.
    // So a test file puts back what it changes outside itself (environment, folders, globals).
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
