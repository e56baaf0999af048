/** Every job, whoever asked for it, as server-sent events: for latentd's own page, and clients. */
import { readFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import type { JobNotice } from '../../jobs/events.js';
import { safeLine } from '../../safe-text.js';

/** Between two tellings of how far a job is. */
const MIN_INTERVAL_MS = 100;
/** A reader that is this far behind misses steps and previews. */
const BUSY_BYTES = 2 ** 18;
/** And beyond it, everything: its connection is closed, and its browser comes again. */
const STUCK_BYTES = 2 ** 22;
/** Proxies close what is silent. */
const ALIVE_INTERVAL_MS = 20_000;
const MAX_ERROR = 1000;

export class PageEvents {
  private readonly readers = new Set<PassThrough>();
  private progressAt = -Infinity;
  private readonly keepingAlive = setInterval(() => {
    this.write(': alive\n\n', STUCK_BYTES);
  }, ALIVE_INTERVAL_MS).unref();

  /** A stream for one page. */
  open(): PassThrough {
    const reader = new PassThrough({ highWaterMark: BUSY_BYTES });
    this.readers.add(reader);
    reader.on('close', () => this.readers.delete(reader));
    reader.write('retry: 2000\n\n');
    return reader;
  }

  close(): void {
    clearInterval(this.keepingAlive);
    for (const reader of this.readers) reader.end();
  }

  hear(notice: JobNotice): void {
    if (this.readers.size === 0) return;
    const { id } = notice.job;
    switch (notice.kind) {
      case 'started':
        this.tell('started', { id });
        this.tell('queue', { id });
        break;
      case 'accepted':
      case 'returned':
        this.tell('queue', { id });
        break;
      case 'progress':
        this.tellProgress(notice);
        break;
      case 'event':
        if (notice.event.type === 'preview') void this.tellPreview(id, notice.event.path);
        break;
      case 'over': {
        const { state, error } = notice.outcome;
        this.tell('over', { id, state, ...(error !== undefined && { error: safeLine(error, MAX_ERROR) }) });
        this.tell('queue', { id });
      }
    }
  }

  private tellProgress({ job, report, secondsLeft }: Extract<JobNotice, { kind: 'progress' }>): void {
    const now = performance.now();
    const { phase, step, totalSteps: steps, sampled } = report;
    // The last step is told whenever it comes.
    if (now - this.progressAt < MIN_INTERVAL_MS && step < steps) return;
    this.progressAt = now;
    const progress = { id: job.id, phase, step, steps, share: sampled, seconds: secondsLeft };
    this.tell('progress', progress, BUSY_BYTES);
  }

  private async tellPreview(id: string, path: string): Promise<void> {
    // It goes with its job.
    const picture = await readFile(path).catch(() => undefined);
    if (picture !== undefined) this.tell('preview', { id, picture: picture.toString('base64') }, BUSY_BYTES);
  }

  private tell(event: string, data: object, limit = STUCK_BYTES): void {
    this.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`, limit);
  }

  /** Readers with more than `limit` bytes before them don't get it. */
  private write(text: string, limit: number): void {
    for (const reader of this.readers) {
      if (reader.writableLength + reader.readableLength < limit) reader.write(text);
      else if (limit >= STUCK_BYTES) reader.destroy();
    }
  }
}
