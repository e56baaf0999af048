/** Tells systemd how the daemon is (sd_notify(3)); nothing where nobody asked to be told. */
import { notifyService } from '../../native/addon.js';
import { safeLine } from '../../safe-text.js';

/** A newline in a status would begin another message to systemd, as `WATCHDOG=trigger`. */
const MAX_STATUS = 300;

export class ServiceManager {
  private lastStatus = '';
  private watchdog: NodeJS.Timeout | undefined;

  constructor(
    private readonly environment: Readonly<Record<string, string | undefined>>,
    private readonly onFault: (error: Error) => void,
  ) {}

  /** The daemon can be asked; from now on the watchdog hears from it as often as it wants to. */
  ready(): void {
    this.tell('READY=1');
    const { WATCHDOG_USEC: interval, WATCHDOG_PID: pid } = this.environment;
    if (interval === undefined || (pid !== undefined && Number(pid) !== process.pid)) return;
    // systemd recommends half of its interval; a third leaves room for a machine under load.
    this.watchdog = setInterval(
      () => {
        this.tell('WATCHDOG=1');
      },
      Number(interval) / 3000,
    );
    this.watchdog.unref();
  }

  reloading(): void {
    // In microseconds of the monotonic clock, which is Node.js's.
    this.tell(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  reloaded(): void {
    this.tell('READY=1');
  }

  stopping(): void {
    this.tell('STOPPING=1');
  }

  stopped(): void {
    clearInterval(this.watchdog);
  }

  /** One line for `systemctl status`; job ids in it are their clients'. */
  status(text: string): void {
    // Not even an escape that someone may undo.
    const line = safeLine(text.replaceAll(/\p{Cc}/gu, '?'), MAX_STATUS);
    if (line === this.lastStatus) return;
    this.lastStatus = line;
    this.tell(`STATUS=${line}`);
  }

  private tell(state: string): void {
    const { NOTIFY_SOCKET: socket } = this.environment;
    if (socket === undefined || socket === '') return;
    try {
      notifyService(socket, state);
    } catch (error) {
      this.onFault(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
