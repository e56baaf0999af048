/** `latentd jobs`: what waits, what runs, and what became of the rest. */
import { Command, Option } from 'commander';
import { CLIENT_SETTING_NAMES } from '../config/settings.js';
import type { JobEntry } from '../fronts/dgx-pixels/wire/protocol.js';
import { EXIT } from './exit-codes.js';
import { readInteger } from './read-flags.js';
import { addSettingOptions, type SettingOptions } from './setting-options.js';
import type { Style } from './style.js';
import { printTable, type Cell } from './table.js';
import { notice, printLines } from './terminal.js';

interface JobsOptions extends SettingOptions {
  readonly which: 'unfinished' | 'over' | 'all';
  readonly limit: string;
  readonly json?: boolean;
}

/** What the daemon lists at once. */
const MOST = 100;

export function jobsCommand(exit: (status: number) => void): Command {
  const command = new Command('jobs')
    .description('list jobs, the newest first: those that wait or run, and what became of earlier ones')
    .argument('[PREFIX]', 'only those whose ids begin with it')
    .addOption(
      new Option('--which <WHICH>', 'those that wait or run, those that are over, or all')
        .choices(['unfinished', 'over', 'all'])
        .default('all', 'all'),
    )
    .addOption(new Option('--limit <N>', `at most as many, up to ${MOST}`).default('20', '20'))
    .option('--json', 'print one JSON object, as the protocol has it');
  return addSettingOptions(command, CLIENT_SETTING_NAMES).action(
    async (prefix: string | undefined, options: JobsOptions) => {
      const limit = readInteger('--limit', options.limit, { min: 1, max: MOST });
      const { messageJson, withDaemon } = await import('./client/connection.js');
      const { listJobs } = await import('./client/list-jobs.js');
      const code = await withDaemon(options, async (connection) => {
        const list = await listJobs(connection, { which: options.which, prefix, limit });
        if (options.json === true) printLines(messageJson(list));
        else if (list.jobs.length === 0) notice('no jobs');
        else await printJobs(list.jobs);
        if (list.has_more && options.json !== true) notice('there are more: --limit, or a prefix of an id');
        return EXIT.done;
      });
      exit(code);
    },
  );
}

const STYLES: Readonly<Partial<Record<JobEntry['state'], Style>>> = {
  running: 'bold',
  completed: 'green',
  failed: 'red',
  cancelled: 'dim',
};

async function printJobs(jobs: readonly JobEntry[]): Promise<void> {
  const { describeSeconds } = await import('./client/describe.js');
  const now = Date.now() / 1000;
  printTable(
    jobs.map((job): readonly Cell[] => {
      const { state, duration_s: seconds, attempts } = job;
      const style = STYLES[state];
      const lasted =
        seconds ?? (job.started_at !== undefined && state === 'running' ? now - job.started_at : undefined);
      return [
        job.job_id,
        style === undefined ? state : { text: state, style },
        `${describeSeconds(Math.max(0, now - job.accepted_at))} ago`,
        lasted === undefined ? '' : `${state === 'running' ? 'for' : 'took'} ${describeSeconds(lasted)}`,
        [attempts > 1 ? `attempt ${attempts}` : '', job.error ?? ''].filter((text) => text !== '').join(': '),
      ];
    }),
  );
}
