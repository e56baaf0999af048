import { expect, test } from 'vitest';
import { settingsDocs } from '../../tools/settings-docs.js';

test('docs/settings.md says what the settings are', async () => {
  await expect(settingsDocs()).toMatchFileSnapshot('../../docs/settings.md');
});
