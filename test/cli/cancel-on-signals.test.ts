/** Signals to a process that computes, whether or not its event loop gets a turn. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCli, ROOT } from './latentd.js';

const home = mkdtempSync(join(tmpdir(), 'latentd-signals-'));
beforeAll(buildCli);
afterAll(() => {
  rmSync(home, { recursive: true });
});

const PREPARE = `
  const { cancelOnSignals } = await import(${JSON.stringify(pathToFileURL(join(ROOT, 'dist/cli/cancel-on-signals.js')).href)});
  const { trackTemporary, untrackTemporary } = await import(${JSON.stringify(pathToFileURL(join(ROOT, 'dist/native/addon.js')).href)});
  const watch = cancelOnSignals();
  await watch.insist('last words');
  const [folder, kept] = process.argv.slice(1);
  trackTemporary(kept);
  trackTemporary(folder);
  untrackTemporary(kept);
  const say = (text) => require('node:fs').writeSync(1, text + ';');
  const require = (await import('node:module')).createRequire('/');
`;

/** Runs a script that says things, and answers each with a signal. */
async function signalled(script: string, answers: Readonly<Record<string, NodeJS.Signals>>) {
  const temporary = mkdtempSync(join(home, 'temporary-'));
  const kept = mkdtempSync(join(home, 'kept-'));
  writeFileSync(join(temporary, 'frame.png'), '');
  const child = spawn(process.execPath, ['--input-type=module', '-e', PREPARE + script, temporary, kept]);
  let stdout = '';
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    for (const word of text.split(';')) {
      const answer = answers[word];
      if (answer !== undefined) child.kill(answer);
    }
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout, stderr, left: [existsSync(temporary), existsSync(kept)] };
}

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s ends a process that gives its event loop no turn', async (signal, code) => {
  const ended = await signalled(`say('spinning'); for (;;);`, { spinning: signal });
  expect(ended).toEqual({
    code,
    stdout: 'spinning;last words',
    stderr: 'latentd: stopped by a signal in the middle of its work\n',
    left: [false, true],
  });
});

test('a second signal ends at once what answers the first and goes on', async () => {
  const script = `
    watch.signal.addEventListener('abort', () => { say('aborted'); });
    setInterval(() => {}, 1000);
    say('working');`;
  const ended = await signalled(script, { working: 'SIGINT', aborted: 'SIGTERM' });
  expect(ended).toMatchObject({ code: 143, stdout: 'working;aborted;last words', left: [false, true] });
});

test('one that answers is left to end by itself', async () => {
  const script = `
    watch.signal.addEventListener('abort', () => {
      watch.release();
      setTimeout(() => { say('done'); process.exit(watch.exitCode); }, 3500);
    });
    setInterval(() => {}, 1000);
    say('working');`;
  const ended = await signalled(script, { working: 'SIGINT' });
  expect(ended).toEqual({ code: 130, stdout: 'working;done;', stderr: '', left: [true, true] });
});
