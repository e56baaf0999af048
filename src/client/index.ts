/**
 * Clients of a latentd daemon, over HTTP or ZeroMQ.
 *
 * @example
 * import { readFile, writeFile } from 'node:fs/promises';
 * import { connect } from 'latentd/client';
 *
 * const client = await connect('http://127.0.0.1:8188');
 * const job = await client.submit(await readFile('workflow.json', 'utf8'));
 * for await (const event of job.events()) {
 *   if (event.type === 'progress') console.error(`${event.step} of ${event.totalSteps}`);
 * }
 * for (const output of await job.outputs()) await writeFile(output.filename, await output.read());
 * await client.close();
 *
 * @module latentd/client
 */
export {
  ClientError,
  JobFailure,
  type ClientEvent,
  type ClientJob,
  type ClientOutput,
  type EndState,
  type LatentdClient,
  type SubmitOptions,
} from './client.js';
export { connect, type ConnectOptions } from './connect.js';
