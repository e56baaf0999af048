import type { Message } from '../../fronts/dgx-pixels/wire/client.js';
import { cancelOnSignals } from '../cancel-on-signals.js';
import { EXIT } from '../exit-codes.js';
import { print, report } from '../terminal.js';
import type { WatchFlags } from './watch-flags.js';
import { messageJson, withDaemon, type Connection } from './connection.js';
import { describeUpdate } from './describe.js';
import { Follower } from './follow.js';
import { completeId } from './list-jobs.js';

/** Prints updates until a signal comes, or until the job is over when one is named; returns the exit code. */
export function watch(id: string | undefined, options: WatchFlags): Promise<number> {
  const show = (update: Message) => {
    print(options.json === true ? messageJson(update) : describeUpdate(update));
  };
  return withDaemon(options, (connection) =>
    id === undefined ? watchAll(connection, show) : watchJob(connection, id, show),
  );
}

async function watchAll(connection: Connection, show: (update: Message) => void): Promise<number> {
  // Says so at once where there is no daemon, rather than never.
  await connection.ask({ type: 'ping' });
  const stream = connection.updates();
  const signals = cancelOnSignals();
  signals.signal.addEventListener('abort', () => {
    stream.close();
  });
  for await (const update of stream) show(update);
  signals.release();
  return signals.exitCode ?? EXIT.done;
}

async function watchJob(
  connection: Connection,
  id: string,
  show: (update: Message) => void,
): Promise<number> {
  const follower = new Follower(connection, show);
  const ending = await follower.follow(await completeId(connection, id));
  if (ending === undefined) {
    report(`latentd: the daemon knows no job ${id}`);
    return EXIT.failed;
  }
  return ending.success ? EXIT.done : EXIT.failed;
}
