/** A daemon over HTTP: ComfyUI's API for what is asked of it, `/events` for what it tells. */
import { setTimeout as delay } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import {
  ClientError,
  type ClientJob,
  type ClientOutput,
  type EndState,
  type LatentdClient,
  type SubmitOptions,
} from './client.js';
import { serverEvents } from './event-stream.js';
import type { JobFeed } from './job-feed.js';
import { JobFeeds } from './job-feeds.js';
import { workflowText } from './workflow-text.js';

/** Between two tries to hear the daemon again. */
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5000;

interface HistoryEntry {
  readonly outputs: Readonly<Record<string, Readonly<Record<string, readonly HistoryFile[]>>>>;
  readonly status: {
    readonly completed: boolean;
    readonly messages: readonly (readonly [string, { readonly exception_message?: string }])[];
  };
}

interface HistoryFile {
  readonly filename?: string;
  readonly subfolder?: string;
  readonly type?: string;
}

export class HttpClient implements LatentdClient {
  private readonly feeds = new JobFeeds(async (id, feed) => {
    await this.listen();
    await this.catchUp(id, feed);
  });
  private readonly closing = new AbortController();
  private listening: Promise<void> | undefined;

  constructor(
    private readonly address: string,
    private readonly token: string | undefined,
  ) {}

  async submit(
    workflow: string | Readonly<Record<string, unknown>>,
    { id = randomUUID() }: SubmitOptions = {},
  ): Promise<ClientJob> {
    const text = workflowText(workflow);
    // Heard before it is asked for, so that nothing of it is missed.
    await this.listen();
    const job = this.job(id);
    try {
      await this.ask('/prompt', {
        method: 'POST',
        body: `{"prompt": ${text}, "prompt_id": ${JSON.stringify(id)}}`,
      });
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
      cancel: async () => {
        const reply = await this.ask(`/api/jobs/${encodeURIComponent(id)}/cancel`, { method: 'POST' });
        return ((await reply.json()) as { readonly cancelled: boolean }).cancelled;
      },
    };
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.feeds.close();
    await this.listening?.catch(() => undefined);
  }

  private async outputs(id: string): Promise<readonly ClientOutput[]> {
    await this.feeds.completed(id);
    const entry = await this.historyOf(id);
    return Object.entries(entry?.outputs ?? {}).flatMap(([node, ui]) =>
      Object.values(ui)
        .flat()
        .flatMap((file) => this.outputOf(node, file)),
    );
  }

  private outputOf(node: string, { filename, subfolder = '', type = 'output' }: HistoryFile): ClientOutput[] {
    if (filename === undefined) return [];
    const query = new URLSearchParams({ filename, subfolder, type });
    const read = async () =>
      new Uint8Array(await (await this.ask(`/view?${query.toString()}`)).arrayBuffer());
    return [{ node, filename: subfolder === '' ? filename : `${subfolder}/${filename}`, type, read }];
  }

  private async historyOf(id: string): Promise<HistoryEntry | undefined> {
    const reply = await this.ask(`/history/${encodeURIComponent(id)}`);
    return ((await reply.json()) as Readonly<Record<string, HistoryEntry>>)[id];
  }

  /** Tells a feed of an end that was not heard. */
  private async catchUp(id: string, feed: JobFeed): Promise<void> {
    const entry = await this.historyOf(id);
    if (entry !== undefined) {
      const { completed, messages } = entry.status;
      const fault = messages.find(([type]) => type === 'execution_error')?.[1].exception_message?.trim();
      const state: EndState = completed ? 'completed' : fault === undefined ? 'cancelled' : 'failed';
      feed.tell({ type: 'over', state, ...(fault !== undefined && { error: fault }) });
      return;
    }
    const reply = await this.fetch(`/api/jobs/${encodeURIComponent(id)}`);
    await reply.body?.cancel();
    // Never heard of, or taken out of the queue, which histories forget.
    if (reply.status === 404)
      feed.tell({
        type: 'over',
        state: 'cancelled',
        error: `there is no job ${id}, or it was taken out of the queue`,
      });
  }

  /** Resolves once the daemon's events are heard; they are until `close`. */
  private listen(): Promise<void> {
    this.listening ??= this.openEvents().then((body) => {
      void this.hearAll(body);
    });
    this.listening.catch(() => {
      this.listening = undefined;
    });
    return this.listening;
  }

  private async openEvents(): Promise<AsyncIterable<Uint8Array>> {
    const { body } = await this.ask('/events', { signal: this.closing.signal });
    if (body === null) throw new ClientError('unreachable', `${this.address} tells no events`);
    return body;
  }

  /** Goes on after a daemon was away; then each job is asked for. */
  private async hearAll(first: AsyncIterable<Uint8Array>): Promise<void> {
    let body: AsyncIterable<Uint8Array> | undefined = first;
    let pause = FIRST_PAUSE_MS;
    while (!this.closing.signal.aborted) {
      try {
        body ??= await this.openEvents();
        if (body !== first) for (const [id, feed] of this.feeds) await this.catchUp(id, feed);
        pause = FIRST_PAUSE_MS;
        for await (const event of serverEvents(body))
          this.hear(event.event, JSON.parse(event.data) as HeardEvent);
      } catch {
        // Whatever it was, it is tried again; who waits may close.
      }
      body = undefined;
      await delay(pause, undefined, { signal: this.closing.signal }).catch(() => undefined);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }

  private hear(event: string, told: HeardEvent): void {
    const feed = this.feeds.get(told.id);
    switch (event) {
      case 'started':
        feed?.tell({ type: 'started' });
        break;
      case 'progress': {
        const { step = 0, steps: totalSteps = 0, share = 0, seconds: secondsLeft = 0 } = told;
        feed?.tell({ type: 'progress', step, totalSteps, share, secondsLeft });
        break;
      }
      case 'preview':
        feed?.tell({ type: 'preview', picture: new Uint8Array(Buffer.from(told.picture ?? '', 'base64')) });
        break;
      case 'over': {
        const { state = 'failed', error } = told;
        feed?.tell({ type: 'over', state, ...(error !== undefined && { error }) });
      }
    }
  }

  /** An answer that is no fault. Throws `ClientError`. */
  private async ask(path: string, options: RequestInit = {}): Promise<Response> {
    const reply = await this.fetch(path, options);
    if (reply.ok) return reply;
    const text = await reply.text();
    throw new ClientError(
      reply.status === 400 ? 'invalid' : 'refused',
      faultOf(text) ?? `${reply.status} ${text.slice(0, 200)}`,
    );
  }

  private async fetch(path: string, options: RequestInit = {}): Promise<Response> {
    try {
      return await fetch(`${this.address}${path}`, {
        ...options,
        headers: {
          ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }),
          ...(typeof options.body === 'string' && { 'content-type': 'application/json' }),
        },
      });
    } catch (cause) {
      throw new ClientError(
        'unreachable',
        `no answer from ${this.address}; is \`latentd serve --http\` running there?`,
        { cause },
      );
    }
  }
}

interface HeardEvent {
  readonly id: string;
  readonly step?: number;
  readonly steps?: number;
  readonly share?: number;
  readonly seconds?: number;
  readonly picture?: string;
  readonly state?: EndState;
  readonly error?: string;
}

interface ToldFault {
  readonly message: string;
  readonly details?: string;
}

/** What ComfyUI's API says of a workflow that can't run, in lines. */
function faultOf(text: string): string | undefined {
  try {
    const { error, node_errors: nodes = {} } = JSON.parse(text) as {
      readonly error: ToldFault;
      readonly node_errors?: Readonly<
        Record<string, { readonly class_type: string; readonly errors: readonly ToldFault[] }>
      >;
    };
    const line = ({ message, details = '' }: ToldFault) =>
      details === '' ? message : `${message}: ${details}`;
    const lines = Object.entries(nodes).flatMap(([id, { class_type: type, errors }]) =>
      errors.map((each) => `node ${id} (${type}): ${line(each)}`),
    );
    return [line(error), ...lines].join('\n');
  } catch {
    return undefined;
  }
}
