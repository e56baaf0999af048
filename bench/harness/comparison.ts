import { test } from 'vitest';
import { Results } from './results.js';

/** Declares a file's one comparison. `npm run bench NAME` runs it. */
export function comparison(
  name: string,
  about: string,
  body: (results: Results) => Promise<void> | void,
): void {
  test(name, async () => {
    const results = new Results(name, about);
    await body(results);
    results.finish();
  });
}
