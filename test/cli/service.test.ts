import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCli, latentd, MAIN } from './latentd.js';

let root: string;

beforeAll(() => {
  buildCli();
  root = mkdtempSync(join(tmpdir(), 'latentd-service-'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

test('writes the unit for this installation, and leaves a config that is there', async () => {
  const unit = join(root, 'etc/systemd/system/latentd.service');
  const config = join(root, 'etc/latentd/latentd.config.json');
  const first = await latentd(['service', 'install', '--root', root], { cwd: root });
  expect(first.stdout).toBe(`${unit}\n${config}\n`);
  expect(first.stderr).toContain('systemctl enable --now latentd');
  const text = readFileSync(unit, 'utf8');
  expect(text).toContain(
    `\nExecStart=${process.execPath} ${MAIN} serve --config /etc/latentd/latentd.config.json\n`,
  );
  expect(text).toMatch(/^# Written by latentd service install\.\n\n\[Unit\]\n/);
  writeFileSync(config, '{}');
  const second = await latentd(['service', 'install', '--root', root], { cwd: root });
  expect(second.stdout).toBe(`${unit}\n`);
  expect(readFileSync(config, 'utf8')).toBe('{}');
});

test('says what is in the way', async () => {
  writeFileSync(join(root, 'file'), '');
  const { code, stderr } = await latentd(['service', 'install', '--root', join(root, 'file')], { cwd: root });
  expect(code).toBe(2);
  expect(stderr).toMatch(/the service can't be installed: .*; run it as root, or name another --root/);
});
