import { defineConfig } from 'vitest/config';

/** Comparisons that take minutes: `npm run test:slow`. */
export default defineConfig({
  test: {
    include: ['test/**/*.slow.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    fileParallelism: false,
  },
});
