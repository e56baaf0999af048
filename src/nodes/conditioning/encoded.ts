import type { EncodedText, ScheduledText } from '../../models/text/text-encoders.js';
import type { Conditioning, ConditioningEntry } from '../values.js';

type Extras = Omit<ConditioningEntry, keyof EncodedText>;

/** A conditioning of what encoders made of a text, and what a node adds: one entry, or one for each part of sampling. */
export function encoded({ parts, ...text }: ScheduledText, extras: Extras = {}): Conditioning {
  return (parts ?? [text]).map((part) => ({ ...part, ...extras }));
}
