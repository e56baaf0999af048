/** The tables of docs/sizing.md. */
import { scenarioSchema, workOf, type ScenarioInput } from './scenario.js';
import { simulate, type SimulationResult } from './simulate.js';

const DAY = 86_400;

/** SD 1.5 at 512×512 in 20 steps on a card that does ten steps a second: put your own times there. */
const PICTURE: ScenarioInput['models'][number] = {
  name: 'picture',
  stages: { loading: 4, encoding: 0.05, step: 0.1, decoding: 0.25, finishing: 0.2 },
  steps: 20,
};
const WORK = workOf(scenarioSchema.shape.models.element.parse(PICTURE));
const LOADING = PICTURE.stages.loading;

type Row = readonly (string | number)[];

/** Markdown. */
export function sizingTables(): string {
  return [
    `A job here is ${WORK} s of work, plus ${LOADING} s where its model has to be loaded.`,
    section(
      'How full devices may be',
      ['devices', ...SHARES.map((share) => `${share * 100} % busy`)],
      fullness(),
    ),
    section(
      'Devices for a day',
      ['jobs a day', 'busiest hour', 'devices', 'busy', 'waiting p50', 'p95', 'p99'],
      forADay(),
    ),
    section(
      'Many models',
      ['models', 'kept', 'jobs go', 'loads a job', 'time spent loading', 'total p50', 'p95'],
      manyModels(),
    ),
    section(
      'Devices that die',
      ['mean time to death', 'deaths', 'busy', 'total p50', 'p99', 'max'],
      deaths(),
    ),
    section(
      'Devices that come and go',
      ['least', 'jobs a device waits for', 'mean devices', 'busy', 'waiting p50', 'p95', 'max'],
      scaling(),
    ),
    '',
  ].join('\n\n');
}

const SHARES = [0.5, 0.7, 0.8, 0.9, 0.95] as const;

function run(
  scenario: Omit<ScenarioInput, 'models'> & Partial<Pick<ScenarioInput, 'models'>>,
): SimulationResult {
  return simulate(scenarioSchema.parse({ models: [PICTURE], ...scenario }));
}

/** Seconds that 95 of 100 jobs wait at most. */
function fullness(): readonly Row[] {
  return [1, 2, 4, 8, 32, 128, 1000, 10_000].map((devices) => [
    devices,
    ...SHARES.map((share) => {
      const jobsADay = (share * devices * DAY) / (WORK + 0.01);
      const result = run({ devices, jobs: Math.max(200_000, devices * 100), jobsADay, settling: 0.5 });
      return seconds(result.waiting.p95);
    }),
  ]);
}

/** The fewest devices with which 95 of 100 jobs wait less than ten seconds, over a whole day. */
function forADay(): readonly Row[] {
  return [10_000, 100_000, 1_000_000].flatMap((jobsADay) =>
    [1, 1.8].map((peak) => {
      const scenario = { jobs: jobsADay, jobsADay, peak, settling: 0 };
      let devices = Math.ceil((jobsADay / DAY) * WORK);
      const step = Math.max(1, Math.floor(devices / 50));
      let result = run({ ...scenario, devices });
      while (result.waiting.p95 > 10) result = run({ ...scenario, devices: (devices += step) });
      const { p50, p95, p99 } = result.waiting;
      return [
        jobsADay.toLocaleString('en'),
        `${peak} × mean`,
        devices,
        percent(result.busy),
        seconds(p50),
        seconds(p95),
        seconds(p99),
      ];
    }),
  );
}

/** Popularity falls as 1 / rank. */
function manyModels(): readonly Row[] {
  const devices = 16;
  const jobsADay = (0.6 * devices * DAY) / WORK;
  return [1, 4, 16, 64].flatMap((count) =>
    [1, 3].flatMap((kept) =>
      (['warm', 'any'] as const).map((placement) => {
        const models = Array.from({ length: count }, (_, rank) => ({
          ...PICTURE,
          name: `model ${rank}`,
          share: 1 / (rank + 1),
        }));
        const result = run({ devices, jobs: 100_000, jobsADay, models, kept, placement });
        const isFull = result.busy > 0.99;
        return [
          count,
          kept,
          placement === 'warm' ? 'where their model is' : 'anywhere',
          (result.loads / result.jobs).toFixed(2),
          percent(result.loading),
          isFull ? 'too much work' : seconds(result.total.p50),
          isFull ? '' : seconds(result.total.p95),
        ];
      }),
    ),
  );
}

function deaths(): readonly Row[] {
  const devices = 100;
  const jobsADay = (0.7 * devices * DAY) / WORK;
  return [undefined, 24, 1, 0.1].map((hoursBetweenDeaths) => {
    const result = run({
      devices,
      jobs: 300_000,
      jobsADay,
      ...(hoursBetweenDeaths !== undefined && { hoursBetweenDeaths }),
    });
    const { p50, p99, max } = result.total;
    const often = hoursBetweenDeaths === undefined ? 'never' : `${hoursBetweenDeaths} h of work`;
    return [often, result.deaths, percent(result.busy), seconds(p50), seconds(p99), seconds(max)];
  });
}

function scaling(): readonly Row[] {
  const jobs = 100_000;
  return [
    { least: 0, lag: 5 },
    { least: 2, lag: 5 },
    { least: 2, lag: 20 },
    { least: 10, lag: 5 },
    { least: 60, lag: 5 },
  ].map(({ least, lag }) => {
    const result = run({
      devices: 60,
      jobs,
      jobsADay: jobs,
      peak: 1.8,
      settling: 0,
      scaling: { least, lag },
    });
    const { p50, p95, max } = result.waiting;
    return [
      least,
      lag,
      result.devices.toFixed(1),
      percent(result.busy),
      seconds(p50),
      seconds(p95),
      seconds(max),
    ];
  });
}

function section(title: string, head: Row, rows: readonly Row[]): string {
  const line = (cells: Row) => `| ${cells.join(' | ')} |`;
  return [`## ${title}`, '', line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function seconds(value: number): string {
  if (value >= 100) return `${Math.round(value)} s`;
  return value < 0.05 ? '0 s' : `${value.toFixed(1)} s`;
}

function percent(value: number): string {
  return `${(value * 100).toFixed(0)} %`;
}
