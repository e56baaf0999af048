/** The face that every way to a daemon has. */

/** A daemon, wherever it is. */
export interface LatentdClient {
  /**
   * Queues a workflow in ComfyUI's API format, as JSON text or as an object (seeds beyond 2⁵³ as bigints). Resolves once the job is
   * durable. Throws `ClientError`: `invalid` for a workflow that can't run, `refused` for a queue that is full, `unreachable`.
   */
  submit(workflow: string | Readonly<Record<string, unknown>>, options?: SubmitOptions): Promise<ClientJob>;
  /** A job that was queued before, by its id. Nothing is asked yet. */
  job(id: string): ClientJob;
  /** Lets go of the connections. Jobs go on; what waits for them rejects. */
  close(): Promise<void>;
}

export interface SubmitOptions {
  /** A UUID of the client's own; a random one otherwise. */
  readonly id?: string;
}

export interface ClientJob {
  readonly id: string;
  /** What happens to it: all of it after `submit`, for another job from now on. Ends with `over`. */
  events(): AsyncIterable<ClientEvent>;
  /** Waits for its end and gives what its nodes saved and showed. Throws `JobFailure` where it failed or was cancelled. */
  outputs(): Promise<readonly ClientOutput[]>;
  /** Ends it; false where it is over already, or isn't known. */
  cancel(): Promise<boolean>;
}

export type ClientEvent =
  | { readonly type: 'started' }
  | {
      readonly type: 'progress';
      readonly step: number;
      readonly totalSteps: number;
      /** Of the whole job's sampling, 0 to 1. */
      readonly share: number;
      readonly secondsLeft: number;
    }
  /** A small PNG of what is being sampled. */
  | { readonly type: 'preview'; readonly picture: Uint8Array }
  | { readonly type: 'over'; readonly state: EndState; readonly error?: string };

export type EndState = 'completed' | 'failed' | 'cancelled';

/** A file that a node saved or showed. */
export interface ClientOutput {
  /** Id of the node; undefined for what was put together of several pictures. */
  readonly node: string | undefined;
  readonly filename: string;
  /** `output`, or `temp` for what was only shown. */
  readonly type: string;
  /** Its bytes, from the daemon. */
  read(): Promise<Uint8Array>;
}

/** What a daemon turned away, or that there is none. */
export class ClientError extends Error {
  override readonly name = 'ClientError';

  constructor(
    readonly code: 'invalid' | 'refused' | 'unreachable',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A job that came to no good end. */
export class JobFailure extends Error {
  override readonly name = 'JobFailure';

  constructor(
    readonly id: string,
    readonly state: Exclude<EndState, 'completed'>,
    message: string,
  ) {
    super(message);
  }
}
