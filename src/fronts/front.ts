/**
 * A front speaks one protocol: it turns its clients' requests into jobs, and what happens to jobs into its clients' words. Fronts
 * don't know one another. `index.ts` lists them.
 */
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.js';
import type { Job } from '../jobs/job.js';
import type { OldJob } from '../jobs/journal-database.js';
import type { Jobs } from '../jobs/jobs.js';
import type { Folders } from '../models/folders/folders.js';
import type { ArtifactStore } from '../store/artifact.js';
import type { Checker } from './checker.js';
import type { Vitals } from './vitals.js';
import type { WarmUp } from './warm-up.js';

/** What requests are checked against; it may change while a front is open. */
export interface Premises {
  readonly folders: Folders;
  /** Folders of workflow templates, in the order in which they are asked. */
  readonly graphs: readonly string[];
  /** What samples: an engine each. */
  readonly devices: readonly string[];
  /** The checkpoint for requests that name none that is there; what templates would take where it isn't set. */
  readonly defaultModel?: string;
  /** Requests that name a checkpoint which isn't there are turned away instead. */
  readonly strictModels: boolean;
}

export interface FrontOptions {
  readonly jobs: Jobs;
  /** As they were when the daemon started; addresses and keys change with a restart only. */
  readonly settings: Settings;
  readonly premises: () => Premises;
  readonly checker: Checker;
  /** Where outputs are kept beside the output folder. */
  readonly store: ArtifactStore | undefined;
  /** Models that are to be loaded before clients are sent here, and aren't yet. */
  readonly warmUp: Pick<WarmUp, 'lacking'>;
  /** Where a front says how what it stands on does, and others ask. */
  readonly vitals: Vitals;
  readonly log: Logger;
}

/** A front that can be reached. */
export interface Front {
  /** Where, with the ports that were chosen, by what is reached there. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Lets go of its addresses, after what is on its way has gone out. */
  close(): Promise<void>;
}

export interface FrontDefinition {
  readonly name: string;
  /** Opens what the settings ask for. Rejects when an address can't be listened at; then nothing is left behind. */
  open(options: FrontOptions): Promise<Front>;
  /** Makes a job of what an older version has kept of one. Throws an `Error` with the reason when it can't be run any more. */
  renew?(old: OldJob, premises: Premises): Job;
}
