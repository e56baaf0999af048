import type { EncodedText } from '../../models/text/text-encoders.js';
import type { Conditioning, ConditioningEntry } from '../values.js';

type Extras = Omit<ConditioningEntry, keyof EncodedText>;

/** A conditioning of one entry: what encoders made of a text, and what a node adds. */
export function encoded(text: EncodedText, extras: Extras = {}): Conditioning {
  return [{ ...text, ...extras }];
}
