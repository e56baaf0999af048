import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cliDocs } from '../../tools/cli-docs.js';
import { ROOT } from './latentd.js';

test('docs/cli.md says what --help says', async () => {
  const path = join(ROOT, 'docs/cli.md');
  await expect(await cliDocs(readFileSync(path, 'utf8'), path)).toMatchFileSnapshot(path);
});
