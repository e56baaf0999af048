/** A daemon over ZeroMQ, on this machine: its files are read where they lie. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { NoAnswerError, request, UpdateStream, type Message } from '../fronts/dgx-pixels/wire/client.js';
import { readClientKeys, type CurveClient } from '../fronts/dgx-pixels/wire/curve-keys.js';
import type { JobInfo, OutputFile } from '../fronts/dgx-pixels/wire/protocol.js';
import {
  ClientError,
  type ClientJob,
  type ClientOutput,
  type EndState,
  type LatentdClient,
  type SubmitOptions,
} from './client.js';
import type { JobFeed } from './job-feed.js';
import { JobFeeds } from './job-feeds.js';
import { workflowText } from './workflow-text.js';

/** Updates may be lost: a job that is waited for is asked for, so often. */
const ASK_INTERVAL_MS = 3000;

export class ZeroMqClient implements LatentdClient {
  private readonly feeds = new JobFeeds(async (id, feed) => {
    await this.ready;
    await this.catchUp(id, feed);
  });
  private readonly updates: UpdateStream;
  private readonly ready: Promise<void>;
  private readonly curve: CurveClient | undefined;
  private readonly asking: NodeJS.Timeout;

  constructor(
    private readonly address: string,
    updates: string,
    curveKeys: string | undefined,
  ) {
    this.curve = curveKeys === undefined ? undefined : readClientKeys(curveKeys);
    this.updates = new UpdateStream(updates, this.curve);
    this.ready = this.updates.settled();
    void this.hearAll();
    this.asking = setInterval(() => {
      for (const [id, feed] of this.feeds)
        if (!feed.isOver) void this.catchUp(id, feed).catch(() => undefined);
    }, ASK_INTERVAL_MS);
    this.asking.unref();
  }

  async submit(
    workflow: string | Readonly<Record<string, unknown>>,
    { id = randomUUID() }: SubmitOptions = {},
  ): Promise<ClientJob> {
    const text = workflowText(workflow);
    await this.ready;
    const job = this.job(id);
    this.feeds.add(id);
    try {
      const reply = await this.ask({ type: 'generate', id, workflow: text });
      if (reply.type !== 'job_accepted') {
        const code = reply['workflow_error'] === undefined ? 'refused' : 'invalid';
        throw new ClientError(code, String(reply['error'] ?? reply['message']));
      }
    } catch (error) {
      this.feeds.forget(id);
      throw error;
    }
    return job;
  }

  job(id: string): ClientJob {
    const { feeds } = this;
    return {
      id,
      async *events() {
        yield* (await feeds.follow(id)).events();
      },
      outputs: () => this.outputs(id),
      cancel: async () => (await this.ask({ type: 'cancel', job_id: id })).type === 'job_cancelled',
    };
  }

  close(): Promise<void> {
    clearInterval(this.asking);
    this.feeds.close();
    this.updates.close();
    return Promise.resolve();
  }

  private async outputs(id: string): Promise<readonly ClientOutput[]> {
    await this.feeds.completed(id);
    const info = await this.find(id);
    return (info?.outputs ?? []).map(outputOf);
  }

  private async find(id: string): Promise<JobInfo | undefined> {
    const { job } = (await this.ask({ type: 'status', job_id: id })) as Message & { readonly job?: JobInfo };
    return job;
  }

  /** Tells a feed of an end that was not heard. */
  private async catchUp(id: string, feed: JobFeed): Promise<void> {
    const info = await this.find(id);
    if (info === undefined) feed.tell({ type: 'over', state: 'cancelled', error: `there is no job ${id}` });
    else if (info.state !== 'queued' && info.state !== 'running') tellEnd(feed, info.state, info.error);
  }

  private async ask(message: Readonly<Record<string, unknown>>): Promise<Message> {
    try {
      return await request(this.address, message, { curve: this.curve });
    } catch (cause) {
      if (cause instanceof NoAnswerError) throw new ClientError('unreachable', cause.message, { cause });
      throw cause;
    }
  }

  private async hearAll(): Promise<void> {
    for await (const update of this.updates) {
      const id = String(update['job_id']);
      const feed = this.feeds.get(id);
      if (feed !== undefined) await this.hear(update, id, feed);
    }
  }

  private async hear(update: Message, id: string, feed: JobFeed): Promise<void> {
    switch (update.type) {
      case 'job_started':
        feed.tell({ type: 'started' });
        break;
      case 'progress':
        feed.tell({
          type: 'progress',
          step: Number(update['step']),
          totalSteps: Number(update['total_steps']),
          share: Number(update['percent']) / 100,
          secondsLeft: Number(update['eta_s']),
        });
        break;
      case 'preview': {
        // It goes with its job.
        const picture = await readFile(String(update['image_path'])).catch(() => undefined);
        if (picture !== undefined) feed.tell({ type: 'preview', picture });
        break;
      }
      case 'job_complete':
        feed.tell({ type: 'over', state: 'completed' });
        break;
      case 'job_error':
        // Whether it failed or was cancelled, `status` knows.
        await this.catchUp(id, feed).catch(() => {
          tellEnd(feed, 'failed', String(update['error']));
        });
    }
  }
}

function tellEnd(feed: JobFeed, state: EndState, error: string | undefined): void {
  feed.tell({ type: 'over', state, ...(error !== undefined && { error }) });
}

function outputOf({ node, file, type }: OutputFile): ClientOutput {
  return { node, filename: basename(file), type, read: () => readFile(file) };
}
