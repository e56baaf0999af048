/** Options that clients set, kept in the data folder. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { HttpFault } from './fault.js';
import { DEFAULT_OPTIONS, withOptions, type KnownOptions } from './options.js';

type Values = Readonly<Record<string, unknown>>;

const MAX_BYTES = 2 ** 20;

export class OptionsFile {
  private saving: Promise<void> = Promise.resolve();

  private constructor(
    private readonly file: string,
    private values: Values,
  ) {}

  /** A file that can't be read counts as none; `onFault` hears why. */
  static async open(folder: string, onFault: (error: Error) => void): Promise<OptionsFile> {
    const file = join(folder, 'a1111-options.json');
    return new OptionsFile(file, await readValues(file, onFault));
  }

  /** What means something here. */
  get known(): KnownOptions {
    return withOptions(DEFAULT_OPTIONS, this.values);
  }

  /** All that were set, over the defaults. */
  get all(): Values {
    return { ...DEFAULT_OPTIONS, ...this.values };
  }

  /** Throws `HttpFault` (422) for values that can't be. */
  async set(changes: Values): Promise<void> {
    const values = { ...this.values, ...changes };
    withOptions(DEFAULT_OPTIONS, values);
    const text = JSON.stringify(values, null, 2);
    if (text.length > MAX_BYTES) throw new HttpFault(422, 'options: more than 1 MB of them are not kept');
    this.values = values;
    this.saving = this.saving.then(() => this.save(text));
    await this.saving;
  }

  private async save(text: string): Promise<void> {
    const partial = `${this.file}.${randomUUID()}`;
    await mkdir(join(this.file, '..'), { recursive: true });
    await writeFile(partial, text);
    await rename(partial, this.file);
  }
}

async function readValues(file: string, onFault: (error: Error) => void): Promise<Values> {
  try {
    const values = JSON.parse(await readFile(file, 'utf8')) as unknown;
    if (typeof values !== 'object' || values === null || Array.isArray(values)) throw new Error('no object');
    withOptions(DEFAULT_OPTIONS, values as Values);
    return values as Values;
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') onFault(error);
    return {};
  }
}
