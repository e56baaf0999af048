/** DGX-Pixels' protocol: requests over a REP-compatible socket, updates over PUB. */
import type { Logger } from 'pino';
import type { Settings } from '../../config/settings.js';
import type { Front, FrontDefinition, FrontOptions } from '../front.js';
import { jobOf, type JobRequest } from './plan.js';
import { RequestDesk } from './request-desk.js';
import { UpdateTeller } from './update-teller.js';
import { connectionsThatFit } from './wire/connections-that-fit.js';
import { readServerKeys, type CurveServer } from './wire/curve-keys.js';
import { Doorkeeper } from './wire/doorkeeper.js';
import { RequestSocket } from './wire/request-socket.js';
import { isLoopback } from './wire/security.js';
import { UpdateSocket } from './wire/update-socket.js';

type Closer = () => unknown;

/** How often the log says that there is no room for more connections. */
const FULL_NOTICE_INTERVAL_MS = 60_000;

export const dgxPixels: FrontDefinition = {
  name: 'dgx-pixels',
  async open(options) {
    const closers: Closer[] = [];
    try {
      return await open(options, closers);
    } catch (cause) {
      await closeAll(closers);
      throw cause;
    }
  },
  renew: ({ id, request }, premises) => jobOf(id, request as JobRequest, premises.graphs),
};

async function open(
  { jobs, settings, premises, checker, log }: FrontOptions,
  closers: Closer[],
): Promise<Front> {
  const { reqAddr, pubAddr, curveKeys } = settings;
  const curve = curveKeys === undefined ? undefined : readServerKeys(curveKeys);
  const onFault = (error: Error) => {
    log.error({ err: error }, 'fault while serving');
  };
  const doorkeeper = createDoorkeeper(curve, settings.maxConnections ?? (await connectionsThatFit()), log);
  await doorkeeper.start();
  closers.push(() => {
    doorkeeper.close();
  });
  const updateSocket = new UpdateSocket(onFault, doorkeeper);
  closers.push(() => updateSocket.close());
  const teller = new UpdateTeller(
    (update) => {
      updateSocket.publish(update);
    },
    (id, share) => jobs.noteTold(id, share),
  );
  closers.push(
    jobs.subscribe((notice) => {
      teller.hear(notice);
    }),
  );
  const desk = new RequestDesk({ jobs, premises, checker, log, percentOf: (id) => teller.percentOf(id) });
  const requestSocket = new RequestSocket((request) => desk.handle(request), onFault, doorkeeper);
  closers.push(() => requestSocket.close());
  if (curve === undefined) warnOfOpenAddresses(settings, log);
  const updates = await updateSocket.start(pubAddr);
  const requests = await requestSocket.start(reqAddr);
  return { addresses: { updates, requests }, close: () => closeAll(closers) };
}

function createDoorkeeper(keys: CurveServer | undefined, maxConnections: number, log: Logger): Doorkeeper {
  let refused = 0;
  let toldAt = -Infinity;
  return new Doorkeeper({
    keys,
    maxConnections,
    onStranger: (address) => {
      log.warn({ address }, 'a client without a known key was turned away');
    },
    onFull: (address) => {
      refused++;
      // Those that are turned away come again, ten times a second.
      if (performance.now() - toldAt < FULL_NOTICE_INTERVAL_MS) return;
      log.warn(
        { address, maxConnections, refused },
        'too many connections: new ones are refused until some go',
      );
      toldAt = performance.now();
      refused = 0;
    },
  });
}

function warnOfOpenAddresses({ reqAddr, pubAddr }: Settings, log: Logger): void {
  for (const address of [reqAddr, pubAddr].filter((each) => !isLoopback(each))) {
    log.warn(
      { address },
      'this address is open to the network without encryption: whoever reaches it can run jobs; see --curve-keys',
    );
  }
}

async function closeAll(closers: Closer[]): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}
