/** The daemon's life: settings, log, signals and the service manager around it. */
import type { Logger } from 'pino';
import { settingValues, type ResolvedSettings } from '../../config/resolve-settings.js';
import { ConfigError } from '../../config/config-error.js';
import { SETTING_NAMES, type SettingName, type Settings } from '../../config/settings.js';
import { KeyFileError } from '../../fronts/dgx-pixels/wire/curve-keys.js';
import { checkDevice } from '../check-device.js';
import { EXIT } from '../exit-codes.js';
import { settingsFrom, type SettingOptions } from '../setting-options.js';
import { isQuiet, isVerbose, reportLines } from '../terminal.js';
import { daemonConfiguration } from './daemon-options.js';
import { Daemon, type DaemonConfiguration } from './daemon.js';
import { ENGINE_ENTRY } from './engine-entry.js';
import { openLog } from './daemon-log.js';
import { ServiceManager } from './service-manager.js';

/** What only a restart can change. */
const FIXED_SETTINGS: readonly SettingName[] = [
  'reqAddr',
  'pubAddr',
  'data',
  'curveKeys',
  'maxConnections',
  'http',
  'httpTokens',
  'tlsCert',
  'tlsKey',
  'corsOrigin',
  'maxUpload',
  'webRoot',
  'webhook',
  'webhookSecret',
  'store',
  's3Endpoint',
  's3Region',
  's3PathStyle',
  'urlLifetime',
  'warm',
  'redis',
  'redisProtocol',
  'redisStreams',
  'redisGroup',
  'redisHeartbeat',
  'redisAttempts',
  'redisTtl',
];

const STATUS_INTERVAL_MS = 5000;

/** Serves until a signal ends it; returns the exit code. Throws `ConfigError` or `UsageError` for settings that can't be. */
export async function serve(options: SettingOptions): Promise<number> {
  const { settings: resolved, warnings } = await settingsFrom(options);
  checkDevice(resolved);
  const settings = settingValues(resolved);
  const { log, flush } = await openLog(isVerbose() ? 'debug' : isQuiet() ? 'warn' : settings.logLevel);
  for (const warning of warnings) log.warn(warning);
  const manager = new ServiceManager(process.env, (error) => {
    log.warn({ err: error }, 'systemd could not be told');
  });
  const code = await new Service(options, resolved, log, manager).run();
  flush();
  return code;
}

class Service {
  private end: (code: number) => void = () => undefined;
  private readonly ended = new Promise<number>((resolve) => {
    this.end = resolve;
  });
  private signalled = false;

  constructor(
    private readonly options: SettingOptions,
    private resolved: ResolvedSettings,
    private readonly log: Logger,
    private readonly manager: ServiceManager,
  ) {}

  private get settings(): Settings {
    return settingValues(this.resolved);
  }

  async run(): Promise<number> {
    const daemon = await this.start();
    if (daemon === undefined) return EXIT.failed;
    const handlers: Partial<Record<NodeJS.Signals, () => void>> = {
      SIGTERM: () => void this.stop(daemon),
      SIGINT: () => void this.stop(daemon),
      SIGHUP: () => void this.reload(daemon),
    };
    for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
    this.log.info({ ...daemon.addresses, pid: process.pid, data: this.settings.data }, 'ready');
    this.manager.ready();
    const telling = setInterval(() => {
      this.manager.status(describe(daemon));
    }, STATUS_INTERVAL_MS);
    this.manager.status(describe(daemon));
    const code = await this.ended;
    clearInterval(telling);
    this.manager.stopped();
    for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler);
    this.log.info('stopped');
    return code;
  }

  private async start(): Promise<Daemon | undefined> {
    try {
      return await Daemon.start({
        settings: this.settings,
        engineEntry: ENGINE_ENTRY,
        configuration: await configurationOf(this.resolved),
        log: this.log,
        onFatal: (error) => {
          this.log.fatal({ err: error }, 'the daemon can not go on');
          this.end(EXIT.failed);
        },
      });
    } catch (error) {
      if (error instanceof ConfigError) throw error;
      if (error instanceof KeyFileError) throw new ConfigError(error.message);
      reportLines(`latentd: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  /** The first signal grants the running job its grace; a second one doesn't. */
  private async stop(daemon: Daemon): Promise<void> {
    const grace = this.signalled ? 0 : this.settings.gracePeriod;
    this.signalled = true;
    this.log.info({ ...daemon.activity, grace_s: grace }, 'stopping');
    this.manager.stopping();
    await daemon.stop(grace);
    this.end(EXIT.done);
  }

  private async reload(daemon: Daemon): Promise<void> {
    this.manager.reloading();
    try {
      const { settings: resolved, warnings } = await settingsFrom(this.options);
      checkDevice(resolved);
      const settings = settingValues(resolved);
      for (const warning of warnings) this.log.warn(warning);
      const configuration = await configurationOf(resolved);
      const changed = SETTING_NAMES.filter(
        (name) => JSON.stringify(settings[name]) !== JSON.stringify(this.settings[name]),
      );
      const fixed = changed.filter((name) => FIXED_SETTINGS.includes(name));
      if (fixed.length > 0) this.log.warn({ settings: fixed }, 'these settings change with a restart only');
      this.resolved = resolved;
      this.log.level = settings.logLevel;
      daemon.reconfigure(configuration);
      this.log.info({ changed }, 'configuration read again');
    } catch (error) {
      this.log.error({ err: error }, 'configuration could not be read; the old one stays');
    }
    this.manager.reloaded();
  }
}

/** Where nobody named a models folder, it is latentd's own. */
function configurationOf(resolved: ResolvedSettings): Promise<DaemonConfiguration> {
  return daemonConfiguration(settingValues(resolved), resolved.models.source === 'default');
}

function describe(daemon: Daemon): string {
  const { waiting, running } = daemon.activity;
  const jobs = waiting === 1 ? '1 job waits' : `${waiting} jobs wait`;
  return running.length === 0 ? `idle, ${jobs}` : `running ${running.join(', ')}, ${jobs}`;
}
