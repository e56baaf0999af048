/** `latentd status`: how the daemon is, or what became of a job. */
import { Command } from 'commander';
import { CLIENT_SETTING_NAMES } from '../config/settings.js';
import type { JobInfo, OutputFile, StatusInfo } from '../fronts/dgx-pixels/wire/protocol.js';
import { EXIT } from './exit-codes.js';
import { addSettingOptions, type SettingOptions } from './setting-options.js';
import { printTable } from './table.js';
import { printLines, report } from './terminal.js';

interface StatusOptions extends SettingOptions {
  readonly json?: boolean;
}

export function statusCommand(exit: (status: number) => void): Command {
  const command = new Command('status')
    .description('show the queue, the engine and the timings of the daemon, or what became of a job')
    .argument('[JOB]', 'id of a job, or what it begins with')
    .option('--json', 'print one JSON object, as the protocol has it');
  return addSettingOptions(command, CLIENT_SETTING_NAMES).action(
    async (id: string | undefined, options: StatusOptions) => {
      exit(await showStatus(id, options));
    },
  );
}

async function showStatus(id: string | undefined, options: StatusOptions): Promise<number> {
  const { messageJson, withDaemon } = await import('./client/connection.js');
  const { describeSeconds } = await import('./client/describe.js');
  const { completeId } = await import('./client/list-jobs.js');
  return withDaemon(options, async (connection) => {
    const status = (await connection.ask({
      type: 'status',
      ...(id !== undefined && { job_id: await completeId(connection, id) }),
    })) as unknown as StatusInfo;
    if (id !== undefined && status.job === undefined) {
      report(`latentd: the daemon knows no job ${id}`);
      return EXIT.failed;
    }
    if (options.json === true) printLines(messageJson(status.job ?? status));
    else printTable(status.job === undefined ? daemonTable(status, describeSeconds) : jobTable(status.job));
    return EXIT.done;
  });
}

function daemonTable(status: StatusInfo, time: (seconds: number) => string): readonly (readonly string[])[] {
  const { engine, device, memory, queue, running, stages } = status;
  return [
    ['up', time(status.uptime_s)],
    ['queue', `${status.queue_size} of ${status.queue_capacity}`],
    ...running.map(({ job_id: id, percent, eta_s: eta }) => [
      'running',
      `${id}, ${percent.toFixed(0)}%, ${time(eta)} left`,
    ]),
    ...queue
      .slice(0, 10)
      .map(({ job_id: id, position, estimated_time_s: seconds }) => [
        `  ${position}`,
        `${id}, done in about ${time(seconds)}`,
      ]),
    ['engine', describeEngine(engine)],
    ['device', `${device.kind}: ${device.name}, ${device.cores} cores`],
    [
      'memory',
      `daemon ${memory.daemon_mb} MB, engine ${memory.engine_mb} MB; ` +
        `machine ${device.memory_available_mb} of ${device.memory_total_mb} MB free`,
    ],
    ...Object.entries(stages).map(([stage, { count, mean_s: mean }]) => [
      `  ${stage}`,
      `${time(mean)}${stage === 'sampling' ? ' a step' : ''} (${count} measured)`,
    ]),
  ];
}

function describeEngine({ state, pid, restarts, error }: StatusInfo['engine']): string {
  const process = pid === undefined ? '' : `, process ${pid}`;
  const again = restarts === 0 ? '' : `, restarted ${restarts} times`;
  return `${state}${process}${again}${error === undefined ? '' : `: ${error}`}`;
}

function jobTable(job: JobInfo): readonly (readonly string[])[] {
  return Object.entries(job).map(([name, value]: [string, unknown]) => [
    name.replace(/_s$/, ' (s)').replaceAll('_', ' '),
    Array.isArray(value) ? value.map(describeOutput).join(', ') : String(value),
  ]);
}

function describeOutput(output: OutputFile): string {
  return output.type === 'output' ? output.file : `${output.file} (${output.type})`;
}
