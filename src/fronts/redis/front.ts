/** Work that comes over Redis, in the words of a system that is there already. Nothing of it is loaded unless it is asked for. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { ConfigError } from '../../config/config-error.js';
import type { Jobs } from '../../jobs/jobs.js';
import { safeLine } from '../../safe-text.js';
import type { Front, FrontDefinition, FrontOptions } from '../front.js';
import type { VitalMeasure } from '../vitals.js';
import type { Artifacts } from './artifacts.js';
import { serverVital } from './server-vital.js';

/** Takes work in one system's words. */
interface RedisWorker {
  begin(): void;
  /** There may be room for more. */
  roomAgain(): void;
  close(): Promise<void>;
  /** What waits in the server. */
  backlog(): Promise<readonly VitalMeasure[]>;
  /** What it has. */
  readonly holding: number;
}

interface WorkerHouse extends FrontOptions {
  /** For what doesn't block. */
  readonly client: Redis;
  readonly open: (name: string) => Redis;
  readonly artifacts: Artifacts;
  /** This process's, as no other's. */
  readonly consumer: string;
  /** Pieces of work that engines are free for, beside those that a worker has. */
  readonly capacity: () => number;
}

const NOWHERE: Front = { addresses: {}, close: () => Promise.resolve() };

/** The name of this front; that of its jobs' clients as well. */
const REDIS_FRONT = 'redis';

/** For a server to be looked at before the daemon is ready. */
const SERVER_PATIENCE_MS = 2000;

const MAX_PROBLEM = 300;

export const redisFront: FrontDefinition = {
  name: REDIS_FRONT,
  async open(house) {
    const { redis } = house.settings;
    if (redis === undefined) return NOWHERE;
    await forsakeOldJobs(house.jobs);
    return openRedis(redis, house);
  },
};

async function openRedis(url: string, house: FrontOptions): Promise<Front> {
  const { jobs, settings, log } = house;
  const [{ connector, checkServer, consumerName }, { localArtifacts }, { adoptLeftFiles }] =
    await Promise.all([import('./connection.js'), import('./artifacts.js'), import('./workflow-runner.js')]);
  const artifacts = localArtifacts(settings, settings.inputBucket);
  await adoptLeftFiles({ jobs, artifacts });
  const open = await connector(url, log);
  const client = open('state');
  const ready = checkServer(client, log);
  ready.catch(() => undefined);
  let worker: RedisWorker | undefined;
  const capacity = () => {
    if (jobs.isStopping) return 0;
    const engines = jobs.engineStates.filter(({ state }) => state === 'ready').length;
    return engines - Math.max(worker?.holding ?? 0, jobs.running.length + jobs.size);
  };
  const unsubscribe = jobs.onRoom(() => {
    worker?.roomAgain();
  });
  let problem: string | undefined;
  const forgetVital = house.vitals.add(
    serverVital(
      client,
      () => problem,
      async () => (await worker?.backlog()) ?? [],
    ),
  );
  const close = async () => {
    unsubscribe();
    forgetVital();
    await worker?.close();
    client.disconnect();
  };
  try {
    worker = await openWorker({ ...house, client, open, artifacts, capacity, consumer: consumerName() });
    // A server that is away now may be back later; one that is there is looked at before anything is taken.
    await Promise.race([ready, delay(SERVER_PATIENCE_MS, undefined, { ref: false })]);
  } catch (cause) {
    await close();
    throw cause;
  }
  const begun = worker;
  ready.then(
    () => {
      begun.begin();
    },
    (error: unknown) => {
      problem = safeLine(error instanceof Error ? error.message : String(error), MAX_PROBLEM);
      log.error({ err: error }, 'no work is taken from redis');
    },
  );
  return { addresses: {}, close };
}

function openWorker(house: WorkerHouse): Promise<RedisWorker> {
  return house.settings.redisProtocol === 'emp-job-queue' ? openEmpWorker(house) : openMySpinBot(house);
}

async function openEmpWorker(house: WorkerHouse): Promise<RedisWorker> {
  const { EmpWorker } = await import('./emp-job-queue/worker.js');
  const { client, consumer, capacity, log, settings } = house;
  return new EmpWorker({
    ...{ client, consumer, capacity, log, house },
    environment: process.env,
    heartbeatMs: settings.redisHeartbeat * 1000,
  });
}

async function openMySpinBot(house: WorkerHouse): Promise<RedisWorker> {
  const [{ StreamConsumer }, { MySpinBot }] = await Promise.all([
    import('./stream-consumer.js'),
    import('./myspinbot/executor.js'),
  ]);
  const { client, open, consumer, capacity, settings, log } = house;
  const [controlStream = '', stream = '', ...others] = settings.redisStreams.split(',');
  if (controlStream === '' || stream === '' || others.length > 0) {
    throw new ConfigError(
      "--redis-streams: two names are needed, of the control plane's stream and of the workers', as stream:control,stream:data",
    );
  }
  const dialect = new MySpinBot({ client, controlStream, ttl: settings.redisTtl, log, house });
  return new StreamConsumer({
    ...{ open, stream, consumer, capacity, log },
    group: settings.redisGroup,
    heartbeatMs: settings.redisHeartbeat * 1000,
    maxDeliveries: settings.redisAttempts,
    handle: (claim) => dialect.handle(claim),
    onDead: ({ jobId = '' }) => dialect.failed(jobId),
  });
}

/** Whatever an earlier daemon left is still pending in Redis, and somebody else's by now or soon. */
async function forsakeOldJobs(jobs: Jobs): Promise<void> {
  const left = await jobs.list({ which: 'unfinished', first: 'oldest' });
  for (const { id, client } of left) {
    if (client.front === REDIS_FRONT) await jobs.cancel(id);
  }
}
