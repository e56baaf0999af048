/** `latentd cancel`: takes jobs back. */
import { Command } from 'commander';
import { CLIENT_SETTING_NAMES } from '../config/settings.js';
import type { Connection } from './client/connection.js';
import { EXIT, UsageError } from './exit-codes.js';
import { addSettingOptions, type SettingOptions } from './setting-options.js';
import { print, printLines, reportLines } from './terminal.js';

interface CancelOptions extends SettingOptions {
  readonly all?: boolean;
  readonly json?: boolean;
}

/** Of each job: whether it was cancelled, and why not. */
interface Cancelled {
  readonly id: string;
  readonly error?: string;
}

export function cancelCommand(exit: (status: number) => void): Command {
  const command = new Command('cancel')
    .description('cancel jobs of the daemon: at once while they wait, within one step while they run')
    .argument('[JOBS...]', 'their ids, or what these begin with')
    .option('--all', 'all that wait or run')
    .option('--json', 'print one JSON object: cancelled, failed');
  return addSettingOptions(command, CLIENT_SETTING_NAMES).action(
    async (ids: readonly string[], options: CancelOptions) => {
      if (ids.length === 0 && options.all !== true) throw new UsageError('name a job, or say --all');
      if (ids.length > 0 && options.all === true) throw new UsageError('--all is for all jobs: name none');
      const { messageJson, withDaemon } = await import('./client/connection.js');
      const code = await withDaemon(options, async (connection) => {
        const results = ids.length > 0 ? await cancelThese(connection, ids) : await cancelAll(connection);
        const failed = results.filter(({ error }) => error !== undefined);
        const cancelled = results.filter(({ error }) => error === undefined).map(({ id }) => id);
        if (options.json === true) printLines(messageJson({ cancelled, failed }));
        else {
          for (const id of cancelled) print(`cancelled ${id}`);
          for (const { id, error } of failed) {
            reportLines(`latentd: ${ids.length > 1 ? `${id}: ` : ''}${error ?? ''}`);
          }
        }
        return failed.length === 0 ? EXIT.done : EXIT.failed;
      });
      exit(code);
    },
  );
}

async function cancelThese(connection: Connection, ids: readonly string[]): Promise<readonly Cancelled[]> {
  const { completeId } = await import('./client/list-jobs.js');
  const results: Cancelled[] = [];
  for (const id of ids) results.push(await cancelOne(connection, await completeId(connection, id)));
  return results;
}

/** Those that wait go first: else one would begin with each that is stopped. What ends meanwhile by itself is no failure. */
async function cancelAll(connection: Connection): Promise<readonly Cancelled[]> {
  const { listJobs } = await import('./client/list-jobs.js');
  const results: Cancelled[] = [];
  const seen = new Set<string>();
  for (;;) {
    const { jobs } = await listJobs(connection, { which: 'unfinished', limit: 100 });
    const left = jobs.filter(({ job_id: id }) => !seen.has(id));
    if (left.length === 0) return results;
    for (const { job_id: id } of left.toSorted(
      (a, b) => Number(a.state === 'running') - Number(b.state === 'running'),
    )) {
      seen.add(id);
      const result = await cancelOne(connection, id);
      if (result.error !== ALREADY_OVER) results.push(result);
    }
  }
}

/** As the daemon has it. */
const ALREADY_OVER = 'Job not found or already completed';

async function cancelOne(connection: Connection, id: string): Promise<Cancelled> {
  const reply = await connection.ask({ type: 'cancel', job_id: id });
  if (reply.type === 'job_cancelled') return { id };
  return { id, error: String(reply['error'] ?? reply['message']) };
}
