/** The manifests: they hang together, and what they set and ask is what the program has. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { resolveSettings, settingValues } from '../../src/config/resolve-settings.js';
import { SETTING_NAMES, SETTINGS, variableOf } from '../../src/config/settings.js';
import { buildCli, ROOT } from '../cli/latentd.js';
import { DaemonHome } from '../support/daemon-process.js';

const FOLDER = join(ROOT, 'packaging/kubernetes');

const named = z.object({ name: z.string() });
const meta = z.strictObject({ name: z.string(), labels: z.record(z.string(), z.string()) });
const probe = z.strictObject({
  httpGet: z.strictObject({ path: z.string(), port: z.string() }),
  periodSeconds: z.int(),
  timeoutSeconds: z.int().optional(),
  failureThreshold: z.int().optional(),
});
const volume = z.strictObject({
  name: z.string(),
  emptyDir: z.strictObject({ sizeLimit: z.string() }).optional(),
  persistentVolumeClaim: z.strictObject({ claimName: z.string(), readOnly: z.boolean() }).optional(),
});
const container = z.strictObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()),
  envFrom: z.array(z.object({ configMapRef: named.optional(), secretRef: named.optional() })),
  env: z.array(z.strictObject({ name: z.string(), value: z.string() })),
  ports: z.array(z.strictObject({ name: z.string(), containerPort: z.int() })),
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  resources: z.strictObject({
    requests: z.record(z.string(), z.string()),
    limits: z.record(z.string(), z.string()),
  }),
  securityContext: z.record(z.string(), z.unknown()),
  volumeMounts: z.array(
    z.strictObject({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() }),
  ),
});

const manifests = {
  ConfigMap: z.strictObject({
    apiVersion: z.literal('v1'),
    kind: z.literal('ConfigMap'),
    metadata: meta,
    data: z.record(z.string(), z.string()),
  }),
  PersistentVolumeClaim: z.object({ apiVersion: z.literal('v1'), metadata: meta }),
  Deployment: z.strictObject({
    apiVersion: z.literal('apps/v1'),
    kind: z.literal('Deployment'),
    metadata: meta,
    spec: z.strictObject({
      selector: z.strictObject({ matchLabels: z.record(z.string(), z.string()) }),
      strategy: z.object({}),
      template: z.strictObject({
        metadata: z.strictObject({
          labels: z.record(z.string(), z.string()),
          annotations: z.record(z.string(), z.string()),
        }),
        spec: z.strictObject({
          terminationGracePeriodSeconds: z.int(),
          automountServiceAccountToken: z.boolean(),
          securityContext: z.object({ runAsNonRoot: z.literal(true) }),
          containers: z.tuple([container]),
          volumes: z.array(volume),
        }),
      }),
    }),
  }),
  Service: z.object({
    apiVersion: z.literal('v1'),
    metadata: meta,
    spec: z.object({
      selector: z.record(z.string(), z.string()),
      ports: z.array(z.object({ port: z.int(), targetPort: z.string() })),
    }),
  }),
  ScaledObject: z.object({
    apiVersion: z.literal('keda.sh/v1alpha1'),
    metadata: meta,
    spec: z.object({
      scaleTargetRef: named,
      minReplicaCount: z.int(),
      maxReplicaCount: z.int(),
      triggers: z.tuple([
        z.strictObject({ type: z.literal('redis-streams'), metadata: z.record(z.string(), z.string()) }),
      ]),
    }),
  }),
  Kustomization: z.object({
    apiVersion: z.literal('kustomize.config.k8s.io/v1beta1'),
    resources: z.array(z.string()),
    images: z.array(named),
  }),
};

let found: ReadonlyMap<string, unknown>;

beforeAll(() => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
  const documents = files.flatMap((name) =>
    parseAllDocuments(readFileSync(join(FOLDER, name), 'utf8')).map((document) => {
      expect(document.errors).toEqual([]);
      return document.toJS() as { kind: string };
    }),
  );
  found = new Map(documents.map((document) => [document.kind, document]));
  expect([...found.keys()].sort()).toEqual(Object.keys(manifests).sort());
});

const manifest = <Kind extends keyof typeof manifests>(kind: Kind) =>
  manifests[kind].parse(found.get(kind)) as z.output<(typeof manifests)[Kind]>;

test('names lead to what is there', () => {
  const deployment = manifest('Deployment');
  const { template, selector } = deployment.spec;
  const [pod] = template.spec.containers;
  expect(template.metadata.labels).toMatchObject(selector.matchLabels);
  expect(manifest('Service').spec.selector).toEqual(selector.matchLabels);
  expect(pod.ports.map(({ name }) => name)).toContain(manifest('Service').spec.ports[0]!.targetPort);
  expect(pod.envFrom[0]!.configMapRef!.name).toBe(manifest('ConfigMap').metadata.name);
  expect(pod.volumeMounts.map(({ name }) => name)).toEqual(template.spec.volumes.map(({ name }) => name));
  const claims = template.spec.volumes.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim ?? []);
  expect(claims[0]!.claimName).toBe(manifest('PersistentVolumeClaim').metadata.name);
  expect(manifest('ScaledObject').spec.scaleTargetRef.name).toBe(deployment.metadata.name);
  expect(pod.resources.limits['nvidia.com/gpu']).toBe('1');
  const { resources, images } = manifest('Kustomization');
  expect([...resources, 'kustomization.yaml'].sort()).toEqual(
    readdirSync(FOLDER).filter((name) => name.endsWith('.yaml')),
  );
  expect(images[0]!.name).toBe(pod.image);
});

test('settings are those that there are, and fit the pod and the autoscaler', async () => {
  const { data } = manifest('ConfigMap');
  const variables = SETTING_NAMES.map(variableOf);
  expect(Object.keys(data).filter((name) => !variables.includes(name))).toEqual([]);
  const settings = settingValues(
    (await resolveSettings({ flags: {}, config: undefined, env: data, cwd: FOLDER })).settings,
  );
  const { template } = manifest('Deployment').spec;
  const [pod] = template.spec.containers;
  expect(settings.gracePeriod).toBeLessThan(template.spec.terminationGracePeriodSeconds);
  expect(settings.http).toBe(`0.0.0.0:${pod.ports[0]!.containerPort}`);
  expect(template.metadata.annotations['prometheus.io/port']).toBe(String(pod.ports[0]!.containerPort));
  for (const folder of [settings.data, settings.output, settings.temp, settings.models]) {
    expect(pod.volumeMounts.some(({ mountPath }) => folder.startsWith(mountPath))).toBe(true);
  }
  const { stream, consumerGroup, address } = manifest('ScaledObject').spec.triggers[0].metadata;
  expect(settings.redisStreams.split(',')[1]).toBe(stream);
  expect(settings.redisGroup).toBe(consumerGroup);
  expect(settings.redis).toBe(`redis://${address}`);
  expect(SETTINGS.warm.audience).toBe('daemon');
});

test('probes are answered, and a pod is ready once its models are loaded', async () => {
  buildCli();
  const home = new DaemonHome();
  const daemon = await home.start('--http', '0', '--warm', 'sd15-tiny', '--warm', 'nothing');
  onTestFinished(async () => {
    await daemon.stop();
    home.remove();
  });
  const [pod] = manifest('Deployment').spec.template.spec.containers;
  for (const { httpGet } of [pod.startupProbe, pod.livenessProbe]) {
    expect((await fetch(`${daemon.httpAddress}${httpGet.path}`)).status).toBe(200);
  }
  await daemon.logged('job over');
  const reply = await fetch(`${daemon.httpAddress}${pod.readinessProbe.httpGet.path}`);
  expect(reply.status).toBe(503);
  expect(await reply.json()).toMatchObject({
    ready: false,
    checks: { engine: 'ok', warm: 'nothing: it is not in the models folder' },
  });
  expect(await (await fetch(`${daemon.httpAddress}/metrics`)).text()).toContain(
    'latentd_jobs_total{front="warm-up",state="completed"} 1',
  );
});
