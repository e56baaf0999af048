/** The built command line as a child process. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const MAIN = join(ROOT, 'dist/cli/main.js');

/** Builds `dist/` where it is older than `src/`. */
export function buildCli(): void {
  const built = existsSync(MAIN) ? statSync(MAIN).mtimeMs : 0;
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  if (sources.every((name) => statSync(join(ROOT, 'src', name)).mtimeMs <= built)) return;
  execFileSync('npm', ['run', 'build', '--silent'], { cwd: ROOT, stdio: 'inherit' });
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface LatentdOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Called at start, with what sends the process a signal. */
  readonly onStart?: (kill: (signal: NodeJS.Signals) => void) => void;
  /** Called with each piece of standard output, and with what sends the process a signal. */
  readonly onOutput?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
  /** In a process group of its own, which signals reach as a whole, as those from a terminal do. */
  readonly group?: boolean;
  /** Closes the reading end of standard output at once. */
  readonly closeOutput?: boolean;
}

/** Runs `latentd ARGS` to its end, under no `LATENTD_*` variables but those given. */
export function latentd(args: readonly string[], options: LatentdOptions): Promise<Ended> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('LATENTD_'));
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: options.cwd,
    env: { ...Object.fromEntries(inherited), ...options.env },
    stdio: 'pipe',
    detached: options.group === true,
    // Before the test gives up, so that nothing is left running.
    timeout: 50_000,
    killSignal: 'SIGKILL',
  });
  const kill = (signal: NodeJS.Signals) =>
    options.group === true ? process.kill(-child.pid!, signal) : child.kill(signal);
  options.onStart?.(kill);
  let stdout = '';
  let stderr = '';
  if (options.closeOutput === true) child.stdout.destroy();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    options.onOutput?.(text, kill);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ code, signal, stdout, stderr });
    });
  });
}
