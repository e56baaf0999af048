/**
 * Which devices keep failing. An engine that died under several jobs in a row, or didn't start several times, gets no jobs for a
 * while, longer each time; the last one that works is never set aside.
 */
import type { Logger } from 'pino';

/** In a row. */
const FAILURES = 3;
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 600_000;

export interface SetAside {
  /** Unix time in milliseconds. */
  readonly until: number;
  readonly cause: string;
}

interface Health {
  failures: number;
  pauseMs: number;
  aside: (SetAside & { readonly timer: NodeJS.Timeout }) | undefined;
}

export class DeviceHealth {
  private readonly engines: readonly Health[];

  /** `onReturn` is told when an engine may have jobs again. */
  constructor(
    private readonly devices: readonly string[],
    private readonly log: Logger,
    private readonly onReturn: () => void,
  ) {
    this.engines = devices.map(() => ({ failures: 0, pauseMs: FIRST_PAUSE_MS, aside: undefined }));
  }

  setAside(engine: number): SetAside | undefined {
    return this.engines[engine]?.aside;
  }

  /** It did a job, well or not: that is no fault of the device. */
  worked(engine: number): void {
    const health = this.engines[engine];
    if (health === undefined) return;
    health.failures = 0;
    health.pauseMs = FIRST_PAUSE_MS;
  }

  /** It died under a job, or didn't start. */
  failed(engine: number, cause: string): void {
    const health = this.engines[engine];
    if (health === undefined || health.aside !== undefined) return;
    if (++health.failures < FAILURES) return;
    const others = this.engines.some((each) => each !== health && each.aside === undefined);
    const device = this.devices[engine];
    if (!others) {
      this.log.error({ engine, device, cause }, 'a device keeps failing, and there is no other');
      return;
    }
    const pause = health.pauseMs;
    health.pauseMs = Math.min(pause * 2, LONGEST_PAUSE_MS);
    const timer = setTimeout(() => {
      this.giveBack(engine);
    }, pause).unref();
    health.aside = { until: Date.now() + pause, cause, timer };
    this.log.error(
      { engine, device, cause, again_s: pause / 1000 },
      'a device keeps failing and is set aside',
    );
  }

  close(): void {
    for (const { aside } of this.engines) clearTimeout(aside?.timer);
  }

  /** One more failure sets it aside again. */
  private giveBack(engine: number): void {
    const health = this.engines[engine];
    if (health === undefined) return;
    health.aside = undefined;
    health.failures = FAILURES - 1;
    this.log.info({ engine, device: this.devices[engine] }, 'a device that was set aside is tried again');
    this.onReturn();
  }
}
