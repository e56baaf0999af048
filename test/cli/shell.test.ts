import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { logFormat } from '../../src/cli/serve/log-format.js';
import { buildCli, latentd, MAIN } from './latentd.js';

let cwd: string;

beforeAll(() => {
  buildCli();
  cwd = mkdtempSync(join(tmpdir(), 'latentd-shell-'));
});
afterAll(() => {
  rmSync(cwd, { recursive: true });
});

test('bash completes commands, flags and words with the script', async () => {
  const { stdout } = await latentd(['completion', 'bash'], { cwd });
  writeFileSync(join(cwd, 'latentd.bash'), stdout);
  mkdirSync(join(cwd, 'models/loras'), { recursive: true });
  writeFileSync(join(cwd, 'models/loras/a $(touch pwned).safetensors'), '');
  mkdirSync(join(cwd, 'bin'));
  writeFileSync(join(cwd, 'bin/latentd'), `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`, {
    mode: 0o755,
  });
  const complete = (...line: string[]) =>
    execFileSync(
      'bash',
      [
        '-c',
        'source latentd.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _latentd; printf "%s\\n" "${COMPREPLY[@]}"',
        'bash',
        ...line,
      ],
      { cwd, encoding: 'utf8', env: { ...process.env, PATH: `${join(cwd, 'bin')}:${process.env['PATH']!}` } },
    ).split('\n');
  expect(complete('latentd', 'mod')).toContain('models');
  expect(complete('latentd', 'run', '--ste')).toContain('--steps');
  expect(complete('latentd', 'models', 'upsc')).toContain('upscale_models');
  expect(complete('latentd', 'run', 'sprite_o')).toEqual(['sprite_optimized', '']);
  expect(complete('latentd', 'run', 'sprite_optimized', '--set', '5.c')).toEqual(['5.cfg=', '']);
  // Nothing of a file's name is run.
  expect(complete('latentd', 'run', '--lora', '')).toEqual(['a\\ \\$\\(touch\\ pwned\\).safetensors', '']);
  expect(existsSync(join(cwd, 'pwned'))).toBe(false);
});

test('the other shells have every command', async () => {
  const bash = await latentd(['completion', 'bash'], { cwd });
  const commands = /candidates="(.*?) -/.exec(bash.stdout)![1]!.split(' ');
  expect(commands).toContain('pull');
  for (const shell of ['zsh', 'fish']) {
    const { code, stdout } = await latentd(['completion', shell], { cwd });
    expect(code).toBe(0);
    for (const command of commands) expect(stdout).toContain(command);
  }
});

test('the manual page has every flag of every command, as the help has it', async () => {
  const { stdout } = await latentd(['man'], { cwd });
  const { stdout: help } = await latentd(['run', '--help'], { cwd });
  const plain = stdout.replaceAll('\\-', '-');
  for (const [flag] of help.matchAll(/--[a-z-]+/g)) if (flag !== '--help') expect(plain).toContain(flag);
  expect(
    stdout.split('\n').filter((line) => /^[.']/.test(line) && !/^\.(TH|SH|SS|TP|B|I|br)\b/.test(line)),
  ).toEqual([]);
});

test('a log is JSON for programs and readable on a terminal, where nothing quoted moves the cursor', async () => {
  const line = `${JSON.stringify({ level: 40, time: 0, job: 'a\u001b[2Jb', msg: 'slow' })}\n`;
  const [json, pretty] = [await logFormat(false), await logFormat(true)];
  expect(JSON.parse(json(line))).toMatchObject({ job: 'a\u001b[2Jb', msg: 'slow' });
  expect(pretty(line)).toMatch(/^\[\d\d:\d\d:\d\d\] WARN: slow .*\n$/);
  expect(pretty(line)).not.toContain('\u001b');
});
