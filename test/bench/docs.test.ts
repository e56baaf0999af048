import { expect, it } from 'vitest';
import { benchmarkDocs, newestResults } from '../../tools/benchmark-docs.js';

it('docs/benchmarks.md says what the newest results are', async () => {
  await expect(benchmarkDocs(newestResults())).toMatchFileSnapshot('../../docs/benchmarks.md');
});
