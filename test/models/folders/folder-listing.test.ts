import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCli, ROOT } from '../../cli/latentd.js';

let folder: string;
beforeAll(() => {
  buildCli();
  folder = mkdtempSync(join(tmpdir(), 'latentd-listing-'));
  writeFileSync(join(folder, 'here.safetensors'), '');
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Lists with no file left to open, then with files closed again. */
const SCRIPT = `
  const { openSync, closeSync } = await import('node:fs');
  const { FolderListing } = await import(process.argv[1]);
  const listing = new FolderListing([process.argv[2]]);
  const open = [];
  const said = [];
  try { for (;;) open.push(openSync('/dev/null')); } catch {}
  try { said.push([...listing.list().keys()]); } catch (error) { said.push(error.code); }
  open.forEach((file) => closeSync(file));
  said.push([...listing.list().keys()]);
  console.log(JSON.stringify(said));
`;

test('a folder that can not be opened for want of open files is not taken for empty, then or later', () => {
  const script = [
    '--input-type=module',
    '-e',
    SCRIPT,
    join(ROOT, 'dist/models/folders/folder-listing.js'),
    folder,
  ];
  const said = execFileSync('/bin/sh', ['-c', 'ulimit -n 64; exec "$0" "$@"', process.execPath, ...script], {
    encoding: 'utf8',
  });
  expect(JSON.parse(said)).toEqual(['EMFILE', ['here.safetensors']]);
});
