/** Turns what happens to jobs into what ComfyUI's clients are told. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { JobNotice } from '../../jobs/events.js';
import type { QueuedJob } from '../../jobs/job.js';
import type { Jobs } from '../../jobs/jobs.js';
import type { Clients } from './audience.js';
import { endMessage, type ComfyMessage } from './messages.js';
import { Narrator, type PreviewFile } from './narrator.js';

/** Between two messages to everybody of how long the queue is: a thousand jobs a second are not a thousand times as many. */
const STATUS_INTERVAL_MS = 50;

export class Teller {
  private readonly running = new Map<string, Narrator>();
  /** Jobs that are over and that the queue counts until a moment later. */
  private readonly over = new Set<string>();
  private statusAt = -Infinity;
  private statusDue: NodeJS.Timeout | undefined;

  constructor(
    private readonly jobs: Jobs,
    private readonly clients: Clients,
    private readonly log: Logger,
  ) {}

  hear(notice: JobNotice): void {
    const { job } = notice;
    switch (notice.kind) {
      case 'accepted':
      case 'returned':
        this.running.delete(job.id);
        this.tellStatus();
        return;
      case 'started':
        if (isOurs(job)) this.running.set(job.id, this.narrator(job));
        this.tellStatus();
        return;
      case 'event':
        this.running.get(job.id)?.hear(notice.event);
        return;
      case 'progress':
        return;
      case 'over': {
        const narrator = this.running.get(job.id);
        this.running.delete(job.id);
        const { state, error = '' } = notice.outcome;
        if (narrator !== undefined && state !== 'completed' && !narrator.hasEnded) {
          this.tell(job, endMessage(job.id, state, error, Date.now()));
        }
        this.over.add(job.id);
        this.tellStatus();
        if (narrator === undefined) return;
        const client = job.client.id;
        if (client === undefined) return;
        // Its last message: clients wait for it, and then ask for the history.
        this.clients.tell(client, { type: 'executing', data: { node: null, prompt_id: job.id } });
      }
    }
  }

  get status(): ComfyMessage {
    return { type: 'status', data: { status: this.queueInfo() } };
  }

  queueInfo() {
    return { exec_info: { queue_remaining: this.jobs.size + this.runningIds.length } };
  }

  /** Jobs whose end wasn't told yet. */
  get runningIds(): readonly string[] {
    const running = this.jobs.running.map(({ job }) => job.id);
    for (const id of this.over) if (!running.includes(id)) this.over.delete(id);
    return running.filter((id) => !this.over.has(id));
  }

  /** What a client that comes back should know first: what runs for it. */
  greeting(client: string): readonly ComfyMessage[] {
    const nodes = [...this.running].flatMap(([id, { currentNode }]) => {
      const mine = this.jobs.running.some(({ job }) => job.id === id && job.client.id === client);
      return mine && currentNode !== undefined ? [currentNode] : [];
    });
    return [
      { type: 'status', data: { status: this.queueInfo(), sid: client } },
      ...nodes.map((node) => ({ type: 'executing', data: { node } })),
    ];
  }

  close(): void {
    clearTimeout(this.statusDue);
  }

  private narrator(job: QueuedJob): Narrator {
    return new Narrator(job.id, {
      tell: (message) => {
        this.tell(job, message);
      },
      show: (preview) => void this.show(job, preview),
      hand: (picture) => {
        this.hand(job, picture);
      },
    });
  }

  /** As in ComfyUI: of a prompt without a client, everybody hears how far it is and that it was interrupted, and no more. */
  private tell({ client: { id } }: QueuedJob, message: ComfyMessage): void {
    if (id !== undefined) this.clients.tell(id, message);
    else if (FOR_ALL.has(message.type)) this.clients.broadcast(message);
  }

  private async show(job: QueuedJob, { path, node }: PreviewFile): Promise<void> {
    const { id } = job.client;
    if (!this.clients.hears(id)) return;
    const narrator = this.running.get(job.id);
    let picture: Buffer;
    try {
      picture = await readFile(path);
    } catch (error) {
      // It may have gone with its job.
      this.log.debug({ err: error }, 'a preview could not be read');
      return;
    }
    if (this.running.get(job.id) !== narrator) return;
    this.clients.show(id, frameOf(picture, node));
  }

  /** At once, as clients tell by the message before whose picture it is. */
  private hand({ client: { id } }: QueuedJob, { path, node }: PreviewFile): void {
    if (!this.clients.hears(id)) return;
    try {
      this.clients.hand(id, frameOf(readFileSync(path), node));
    } catch (error) {
      this.log.warn({ err: error }, 'a picture for a socket could not be read');
    }
  }

  private tellStatus(): void {
    if (this.statusDue !== undefined) return;
    const wait = this.statusAt + STATUS_INTERVAL_MS - performance.now();
    const tell = () => {
      this.statusDue = undefined;
      this.statusAt = performance.now();
      this.clients.broadcast(this.status);
    };
    if (wait <= 0) tell();
    else this.statusDue = setTimeout(tell, wait);
  }
}

const FOR_ALL: ReadonlySet<string> = new Set(['progress', 'progress_state', 'execution_interrupted']);

const PREVIEW_IMAGE = 1;
const PREVIEW_IMAGE_WITH_METADATA = 4;
const PNG = 2;

function frameOf(picture: Buffer, node: PreviewFile['node']) {
  return ({ supports_preview_metadata: withMetadata }: Readonly<Record<string, unknown>>): Buffer =>
    withMetadata === true ? previewWithMetadata(picture, node) : plainPreview(picture);
}

/** ComfyUI protocol.py, BinaryEventTypes, and server.py, send_image; big-endian. */
function plainPreview(picture: Buffer): Buffer {
  return Buffer.concat([words(PREVIEW_IMAGE, PNG), picture]);
}

function previewWithMetadata(picture: Buffer, node: PreviewFile['node']): Buffer {
  const metadata = Buffer.from(JSON.stringify({ ...node, image_type: 'image/png' }));
  return Buffer.concat([words(PREVIEW_IMAGE_WITH_METADATA, metadata.length), metadata, picture]);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32BE(value, index * 4));
  return bytes;
}

function isOurs({ client }: QueuedJob): boolean {
  return client.front === 'comfyui';
}
