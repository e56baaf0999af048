/** Jobs as tests make them. */
import type { Job } from '../../src/jobs/job.js';

export function jobOf(id: string, values: Partial<Job> = {}): Job {
  return {
    id,
    client: { front: 'test', id: 'somebody' },
    priority: 0,
    task: { workflow: '{}' },
    load: { model: 'm', pixels: 2048, steps: 4, images: 2 },
    metadata: { of: id },
    ...values,
  };
}
