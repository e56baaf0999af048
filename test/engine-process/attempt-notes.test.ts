import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AttemptNotes, clearAttempt } from '../../src/engine-process/attempt-notes.js';
import { withFileNotes, type FileNote } from '../../src/nodes/files/file-notes.js';
import { openSeries, saveNumbered } from '../../src/nodes/files/output-files.js';

let folder: string;
let output: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latentd-notes-'));
  output = join(folder, 'output');
  mkdirSync(output);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const save = async (text: string) => {
  const series = await openSeries('output', output, 'picture', { width: 0, height: 0 });
  const naming = { counter: series.counter, batch: 0, extension: '.png' };
  return (await saveNumbered(series, naming, Buffer.from(text))).file.path;
};

test('what was noted goes where nothing came of it, and nothing else does', async () => {
  const before = await save('of another');
  const notes = await AttemptNotes.open(folder);
  const { signal } = new AbortController();
  const path = await withFileNotes(
    (note) => notes.add(note, signal),
    () => save('of the attempt'),
  );
  await notes.add({ path: join(output, '.latentd-half') }, signal);
  writeFileSync(join(output, '.latentd-half'), 'ha');
  await notes.close();
  // As a full disk leaves it: half a note, and the whole one after it.
  await appendFile(join(folder, 'notes'), '\n{"path":"/no');
  const after = await save('of another, later');

  await clearAttempt(folder, { isVoid: false, waits: false });
  expect(readdirSync(output)).toHaveLength(3);
  await clearAttempt(folder, { isVoid: true, waits: false });
  expect(existsSync(path)).toBe(false);
  expect([before, after].map((each) => readFileSync(each, 'utf8'))).toEqual([
    'of another',
    'of another, later',
  ]);
  // The name may be somebody else's by now.
  writeFileSync(path, 'of somebody');
  await clearAttempt(folder, { isVoid: true, waits: false });
  expect(readFileSync(path, 'utf8')).toBe('of somebody');
});

test('a file is noted before it is there, under both of its names', async () => {
  const noted: (FileNote & { readonly there: boolean })[] = [];
  const path = await withFileNotes(
    (note) => {
      noted.push({ ...note, there: existsSync(note.path) });
      return Promise.resolve();
    },
    () => save('a picture'),
  );
  expect(noted).toEqual([
    { path: expect.stringMatching(/\/\.latentd-/) as unknown, there: false },
    {
      path,
      inode: expect.stringMatching(/^\d+$/) as unknown,
      modified: expect.any(String) as unknown,
      there: false,
    },
  ]);
});

test('files of a process that still writes are left alone until it is gone', async () => {
  const writer = spawn('sleep', ['600']);
  await once(writer, 'spawn');
  const stat = readFileSync(`/proc/${writer.pid!}/stat`, 'utf8');
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  const half = join(output, '.latentd-half');
  writeFileSync(half, 'ha');
  writeFileSync(
    join(folder, 'notes'),
    `\n${JSON.stringify({ engine: writer.pid, started })}\n${JSON.stringify({ path: half })}`,
  );
  const clearing = clearAttempt(folder, { isVoid: true, waits: true });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(existsSync(half)).toBe(true);
  writer.kill('SIGKILL');
  await clearing;
  expect(existsSync(half)).toBe(false);
});
