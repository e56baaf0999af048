/** Measurements that are more than one function's time. `npx vitest run --config bench/vitest.config.ts bench/wire.ts` */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['bench/wire.ts', 'bench/daemon-soak.ts'],
    fileParallelism: false,
    testTimeout: 3_600_000,
    hookTimeout: 600_000,
  },
});
