/** `/jobs/{id}/events`: what happens to a job, as server-sent events that end with it. */
import { readFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { loadSharp } from '../../../imaging/load-sharp.js';
import type { JobNotice } from '../../../jobs/events.js';
import type { JobRecord } from '../../../jobs/job.js';
import type { JobDesk, Locate } from './job-desk.js';
import { savedItems } from './outputs.js';

/** Between two tellings of how far a job is. */
const INTERVAL_MS = 500;
/** Proxies close what is silent, and so does the SDK, after 45 s. */
const ALIVE_INTERVAL_MS = 15_000;
/** A reader that is this far behind is let go: it comes again, and is told everything of then. */
const STUCK_BYTES = 2 ** 22;

export class EventStreams {
  private readonly streams = new Set<EventStream>();
  private silence = 0;
  private readonly ticking = setInterval(() => {
    this.silence += INTERVAL_MS;
    const isSilent = this.silence >= ALIVE_INTERVAL_MS;
    if (isSilent) this.silence = 0;
    for (const stream of this.streams) {
      stream.tick();
      if (isSilent) stream.write(': alive\n\n');
    }
  }, INTERVAL_MS).unref();

  constructor(private readonly desk: JobDesk) {}

  hear(notice: JobNotice): void {
    for (const stream of this.streams) if (stream.job === notice.job.id) stream.hear(notice);
  }

  /** Undefined for a job that isn't known. */
  async open(id: string, locate: Locate): Promise<PassThrough | undefined> {
    const stream = new EventStream(id, this.desk, locate);
    this.streams.add(stream);
    stream.body.once('close', () => this.streams.delete(stream));
    const record = await this.desk.find(id);
    if (record === undefined) {
      stream.body.destroy();
      return undefined;
    }
    stream.begin(record);
    return stream.body;
  }

  close(): void {
    clearInterval(this.ticking);
    for (const { body } of this.streams) body.end();
  }
}

class EventStream {
  readonly body = new PassThrough({ highWaterMark: STUCK_BYTES });
  private readonly told = new Set<string>();
  private progress = '';
  private preview: string | undefined;
  private status = '';
  private hasBegun = false;

  constructor(
    readonly job: string,
    private readonly desk: JobDesk,
    private readonly locate: Locate,
  ) {}

  begin(record: JobRecord): void {
    this.hasBegun = true;
    // It may be over since it was asked for.
    if (this.body.writableEnded) return;
    if (record.outcome !== undefined) {
      this.end(record);
      return;
    }
    this.tellStatus();
    this.tick();
    this.tellOutputs(this.desk.itemsOf(record));
  }

  hear(notice: JobNotice): void {
    if (this.body.writableEnded) return;
    if (notice.kind === 'over') this.end({ id: this.job, outcome: notice.outcome });
    else if (notice.kind === 'started' || notice.kind === 'returned') this.tellStatus();
    else if (notice.kind === 'event' && notice.event.type === 'executed' && notice.event.ui !== undefined) {
      const { node, ui, workflow } = notice.event;
      this.tellOutputs(savedItems([{ node, ui, workflow }]));
    }
  }

  /** Tells what has changed since the last time. */
  tick(): void {
    if (!this.hasBegun || this.body.writableEnded) return;
    this.tellStatus();
    const snapshot = this.desk.progressOf(this.job);
    const progress = JSON.stringify(snapshot);
    if (snapshot !== null && progress !== this.progress) this.tell('progress', (this.progress = progress));
    const preview = this.desk.previewOf(this.job);
    if (preview === undefined || preview.path === this.preview) return;
    this.preview = preview.path;
    void this.tellPreview(preview.path, preview.node);
  }

  write(text: string): void {
    if (this.body.writableEnded) return;
    if (this.body.writableLength + this.body.readableLength > STUCK_BYTES) this.body.destroy();
    else this.body.write(text);
  }

  private end(job: Pick<JobRecord, 'id' | 'outcome'>): void {
    this.tellOutputs(this.desk.itemsOf(job));
    this.tell('status', JSON.stringify({ status: this.desk.statusOf(job) }));
    this.body.end();
  }

  private tellStatus(): void {
    const status = this.desk.statusOf({ id: this.job });
    const position = status === 'queued' ? this.desk.queuePosition(this.job) : null;
    const text = JSON.stringify({ status, ...(position !== null && { queue_position: position }) });
    if (text !== this.status) this.tell('status', (this.status = text));
  }

  private tellOutputs(items: ReturnType<JobDesk['itemsOf']>): void {
    for (const item of items) {
      if (this.told.has(item.place)) continue;
      this.told.add(item.place);
      this.tell('output', JSON.stringify(this.desk.output(this.job, item, this.locate)));
    }
  }

  private async tellPreview(path: string, node: string): Promise<void> {
    try {
      const sharp = await loadSharp();
      const jpeg = await sharp(await readFile(path))
        .jpeg({ quality: 90 })
        .toBuffer();
      const data = { node_id: node, content_type: 'image/jpeg', data_base64: jpeg.toString('base64') };
      this.tell('preview', JSON.stringify(data));
    } catch {
      // It went with its job.
    }
  }

  private tell(event: string, data: string): void {
    this.write(`event: ${event}\ndata: ${data}\n\n`);
  }
}
