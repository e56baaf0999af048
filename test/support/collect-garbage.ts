import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** A full garbage collection, there and then. */
export const collectGarbage = runInNewContext('gc') as () => void;
