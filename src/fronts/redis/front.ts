/** Work that comes over Redis, in the words of a system that is there already. Nothing of it is loaded unless it is asked for. */
import { ConfigError } from '../../config/config-error.js';
import type { Jobs } from '../../jobs/jobs.js';
import type { Front, FrontDefinition, FrontOptions } from '../front.js';

const NOWHERE: Front = { addresses: {}, close: () => Promise.resolve() };

/** The name of this front; that of its jobs' clients as well. */
const REDIS_FRONT = 'redis';

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
  const { jobs, settings, premises, checker, log } = house;
  const [{ connector, checkServer, consumerName }, { StreamConsumer }, { MySpinBot }, { localArtifacts }] =
    await Promise.all([
      import('./connection.js'),
      import('./stream-consumer.js'),
      import('./myspinbot/executor.js'),
      import('./artifacts.js'),
    ]);
  const open = await connector(url, log);
  const client = open('state');
  const [controlStream = '', stream = ''] = settings.redisStreams.split(',');
  if (controlStream === '' || stream === '') {
    client.disconnect();
    throw new ConfigError(
      "--redis-streams: two names are needed, of the control plane's stream and of the workers', as stream:control,stream:data",
    );
  }
  const artifacts = localArtifacts(settings, settings.inputBucket);
  const dialect = new MySpinBot({
    ...{ client, controlStream, ttl: settings.redisTtl, log },
    house: { jobs, checker, artifacts, premises },
  });
  const capacity = () => {
    if (jobs.isStopping) return 0;
    const engines = jobs.engineStates.filter(({ state }) => state === 'ready').length;
    return engines - Math.max(consumer.holding, jobs.running.length + jobs.size);
  };
  const consumer = new StreamConsumer({
    ...{ open, stream, log, capacity },
    group: settings.redisGroup,
    consumer: consumerName(),
    heartbeatMs: settings.redisHeartbeat * 1000,
    maxDeliveries: settings.redisAttempts,
    handle: (claim) => dialect.handle(claim),
    onDead: ({ jobId = '' }) => dialect.failed(jobId),
  });
  const unsubscribe = jobs.subscribe(({ kind }) => {
    if (kind === 'over') consumer.roomAgain();
  });
  const ready = checkServer(client, log);
  try {
    // A server that is away now may be back later; one that is there is looked at before anything is taken.
    await Promise.race([ready, pause(SERVER_PATIENCE_MS)]);
  } catch (cause) {
    unsubscribe();
    client.disconnect();
    await consumer.close();
    throw cause;
  }
  ready.then(
    () => {
      consumer.begin();
      log.info({ stream, group: settings.redisGroup }, 'work is taken from redis');
    },
    (error: unknown) => {
      log.error({ err: error }, 'no work is taken from redis');
    },
  );
  return {
    addresses: {},
    async close() {
      unsubscribe();
      await consumer.close();
      client.disconnect();
    },
  };
}

const SERVER_PATIENCE_MS = 2000;

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}

/** Whatever an earlier daemon left is still pending in Redis, and somebody else's by now or soon. */
async function forsakeOldJobs(jobs: Jobs): Promise<void> {
  const left = await jobs.list({ which: 'unfinished', first: 'oldest' });
  for (const { id, client } of left) {
    if (client.front === REDIS_FRONT) await jobs.cancel(id);
  }
}
