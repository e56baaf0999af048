/** A daemon as the settings say where to find it. */
import { settingValues } from '../../config/resolve-settings.js';
import { ConfigError } from '../../config/config-error.js';
import { NoAnswerError, request, UpdateStream, type Message } from '../../fronts/dgx-pixels/wire/client.js';
import { KeyFileError, readClientKeys, type CurveClient } from '../../fronts/dgx-pixels/wire/curve-keys.js';
import { EXIT } from '../exit-codes.js';
import { safeJson } from '../../safe-text.js';
import { settingsFrom, type SettingOptions } from '../setting-options.js';
import { report } from '../terminal.js';

export class Connection {
  private constructor(
    private readonly requestAddress: string,
    private readonly updateAddress: string,
    private readonly curve: CurveClient | undefined,
    private readonly patience: { readonly timeoutMs?: number },
  ) {}

  /** Throws `ConfigError`. Nothing is sent yet; an answer is waited for as the protocol's clients do, unless told otherwise. */
  static async open(
    options: SettingOptions,
    patience: { readonly timeoutMs?: number } = {},
  ): Promise<Connection> {
    const { reqAddr, pubAddr, curveKeys } = settingValues((await settingsFrom(options)).settings);
    try {
      return new Connection(
        reqAddr,
        pubAddr,
        curveKeys === undefined ? undefined : readClientKeys(curveKeys),
        patience,
      );
    } catch (error) {
      throw error instanceof KeyFileError ? new ConfigError(error.message) : error;
    }
  }

  /** Throws `NoAnswerError`. */
  ask(message: Readonly<Record<string, unknown>>): Promise<Message> {
    return request(this.requestAddress, message, { curve: this.curve, ...this.patience });
  }

  updates(): UpdateStream {
    return new UpdateStream(this.updateAddress, this.curve);
  }
}

/** Runs a client command to its exit code; a daemon that doesn't answer is reported. */
export async function withDaemon(
  options: SettingOptions,
  act: (connection: Connection) => Promise<number>,
): Promise<number> {
  try {
    return await act(await Connection.open(options));
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    report(`latentd: ${error.message}`);
    return EXIT.failed;
  }
}

/** JSON of a message; integers beyond JavaScript's become their digits. */
export function messageJson(message: unknown): string {
  const json = JSON.stringify(message, (_, value: unknown) =>
    typeof value === 'bigint' ? (Number.isSafeInteger(Number(value)) ? Number(value) : String(value)) : value,
  );
  return safeJson(json);
}
