/** The comparisons of this folder: `npm run bench` runs all of them, `npm run bench samplers` one. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['bench/*.ts'],
    exclude: ['bench/vitest.config.ts'],
    fileParallelism: false,
    // Rows are printed as they come.
    disableConsoleIntercept: true,
    testTimeout: 3_600_000,
    hookTimeout: 600_000,
  },
});
