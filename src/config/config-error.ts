/** A setting that can't be what it was set to; the message names the place, the value and what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
