/** Jobs of the daemon by what their ids begin with. */
import type { JobEntry } from '../../fronts/dgx-pixels/wire/protocol.js';
import type { Connection } from './connection.js';

export interface JobList {
  readonly jobs: readonly JobEntry[];
  readonly has_more: boolean;
}

export interface JobListQuery {
  readonly which: 'unfinished' | 'over' | 'all';
  readonly prefix?: string | undefined;
  readonly limit: number;
}

/** The newest first. Throws `NoAnswerError`, and an `Error` where the daemon refuses. */
export async function listJobs(
  connection: Connection,
  { which, prefix, limit }: JobListQuery,
): Promise<JobList> {
  const reply = await connection.ask({
    type: 'list_jobs',
    which,
    limit,
    ...(prefix !== undefined && { id_prefix: prefix }),
  });
  if (reply.type !== 'job_list') throw new Error(`the daemon lists no jobs: ${String(reply['message'])}`);
  return reply as unknown as JobList;
}

/** A shorter beginning than this could only be a mistake. */
const SHORTEST = 4;

/**
 * The id of the one job that `given` is, or begins. `given` itself where there is none, or more than one and it is none of them:
 * then the daemon says that it knows no such job.
 */
export async function completeId(connection: Connection, given: string): Promise<string> {
  if (given.length < SHORTEST) return given;
  const { jobs } = await listJobs(connection, { which: 'all', prefix: given, limit: 2 });
  const [only, another] = jobs;
  return only === undefined || another !== undefined ? given : only.job_id;
}
