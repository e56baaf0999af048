/** Waits for the end of one job. */
import type { Message } from '../../fronts/dgx-pixels/wire/client.js';
import type { Connection } from './connection.js';

/** Updates get lost where a reader is slow; the daemon is asked as well. */
const ASK_INTERVAL_MS = 2000;

export interface JobEnding {
  readonly success: boolean;
  /** Absolute, on the daemon's machine. */
  readonly imagePath: string | undefined;
  /** All files of the job: node, file, type. */
  readonly outputs: readonly unknown[];
  readonly error: string | undefined;
  readonly seconds: number;
}

export class Follower {
  private readonly stream;
  private readonly ended: Promise<JobEnding>;
  private end: (ending: JobEnding) => void = () => undefined;
  private id = '';
  private asking: NodeJS.Timeout | undefined;

  /** Listens from now on, so that a job which is submitted next is heard from its start. */
  constructor(
    private readonly connection: Connection,
    private readonly onUpdate: (update: Message) => void,
  ) {
    this.stream = connection.updates();
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  ready(): Promise<void> {
    return this.stream.settled();
  }

  /** Resolves when the job is over; undefined when the daemon knows no such job. */
  async follow(id: string): Promise<JobEnding | undefined> {
    this.id = id;
    void this.listen();
    try {
      if (!(await this.ask())) return undefined;
      this.asking = setInterval(() => {
        // A daemon that restarts answers again in a moment.
        this.ask().catch(() => undefined);
      }, ASK_INTERVAL_MS);
      return await this.ended;
    } finally {
      this.close();
    }
  }

  close(): void {
    clearInterval(this.asking);
    this.stream.close();
  }

  private async listen(): Promise<void> {
    for await (const update of this.stream) {
      if (update['job_id'] !== this.id) continue;
      this.onUpdate(update);
      const seconds = Number(update['duration_s'] ?? 0);
      if (update.type === 'job_complete') {
        this.end({
          success: true,
          imagePath: String(update['image_path']),
          outputs: listOf(update['outputs']),
          error: undefined,
          seconds,
        });
      } else if (update.type === 'job_error') {
        this.end({
          success: false,
          imagePath: undefined,
          outputs: [],
          error: String(update['error']),
          seconds,
        });
      }
    }
  }

  /** Asks for the outcome; false when the job is unknown. */
  private async ask(): Promise<boolean> {
    const reply = await this.connection.ask({ type: 'status', job_id: this.id });
    const job = reply['job'] as Readonly<Record<string, unknown>> | undefined;
    if (job === undefined) return false;
    const { state, image_path: path, error, duration_s: seconds } = job;
    if (state === 'queued' || state === 'running') return true;
    this.end({
      success: state === 'completed',
      imagePath: typeof path === 'string' ? path : undefined,
      outputs: listOf(job['outputs']),
      error: typeof error === 'string' ? error : undefined,
      seconds: Number(seconds ?? 0),
    });
    return true;
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
