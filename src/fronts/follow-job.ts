/** For fronts whose clients wait: a job from its acceptance to its end. */
import type { JobNotice } from '../jobs/events.js';
import type { Job, JobOutcome } from '../jobs/job.js';
import type { Jobs, SubmittedJob } from '../jobs/jobs.js';

export interface FollowedJob extends SubmittedJob {
  /** Its outcome, once that is durable. It may be a later daemon that has it: then this never resolves. */
  readonly over: Promise<JobOutcome>;
  /** Hears no more; the job goes on. */
  unfollow(): void;
}

/** Submits a job and hears every notice of it, from `accepted` to `over`. Throws `Refusal`. */
export async function submitAndFollow(
  jobs: Jobs,
  job: Job,
  hear: (notice: JobNotice) => void = () => undefined,
): Promise<FollowedJob> {
  let settle: (outcome: JobOutcome) => void;
  const over = new Promise<JobOutcome>((resolve) => {
    settle = resolve;
  });
  // Before it is submitted: a short job may be over as soon as that resolves.
  const unfollow = jobs.subscribe((notice) => {
    if (notice.job.id !== job.id) return;
    hear(notice);
    if (notice.kind !== 'over') return;
    unfollow();
    settle(notice.outcome);
  });
  try {
    return { ...(await jobs.submit(job)), over, unfollow };
  } catch (cause) {
    unfollow();
    throw cause;
  }
}
