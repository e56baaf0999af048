/** The Python client's own test, against a daemon. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { buildCli } from '../cli/latentd.js';
import { DaemonHome } from '../support/daemon-process.js';
import { smallWorkflow } from '../support/small-workflow.js';

test('the Python client passes its own test', async () => {
  buildCli();
  const home = new DaemonHome();
  const daemon = await home.start('--http', '0');
  onTestFinished(async () => {
    await daemon.stop();
    home.remove();
  });
  const workflow = home.path('workflow.json');
  writeFileSync(workflow, smallWorkflow());
  const { stderr } = await promisify(execFile)('python3', ['-W', 'error', '-B', '-m', 'unittest'], {
    cwd: new URL('../../clients/python', import.meta.url),
    env: { ...process.env, LATENTD_ADDRESS: daemon.httpAddress, LATENTD_WORKFLOW: workflow },
    timeout: 55_000,
  });
  expect(stderr).toMatch(/Ran 7 tests[^]*OK/);
});
