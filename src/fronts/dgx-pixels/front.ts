/** DGX-Pixels' protocol: requests over a REP-compatible socket, updates over PUB. */
import type { Logger } from 'pino';
import type { Settings } from '../../config/settings.js';
import type { Front, FrontDefinition, FrontOptions } from '../front.js';
import { jobOf, type JobRequest } from './plan.js';
import { RequestDesk } from './request-desk.js';
import { UpdateTeller } from './update-teller.js';
import { Authenticator } from './wire/authenticator.js';
import { readServerKeys, type CurveServer } from './wire/curve-keys.js';
import { RequestSocket } from './wire/request-socket.js';
import { isLoopback } from './wire/security.js';
import { UpdateSocket } from './wire/update-socket.js';

type Closer = () => unknown;

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
  if (curve !== undefined) closers.push(await authenticate(curve, log));
  const updateSocket = new UpdateSocket(onFault, curve);
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
  const requestSocket = new RequestSocket((request) => desk.handle(request), onFault, curve);
  closers.push(() => requestSocket.close());
  if (curve === undefined) warnOfOpenAddresses(settings, log);
  const updates = await updateSocket.start(pubAddr);
  const requests = await requestSocket.start(reqAddr);
  return { addresses: { updates, requests }, close: () => closeAll(closers) };
}

async function authenticate(curve: CurveServer, log: Logger): Promise<Closer> {
  const authenticator = new Authenticator(curve, (address) => {
    log.warn({ address }, 'a client without a known key was turned away');
  });
  await authenticator.start();
  return () => {
    authenticator.close();
  };
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
