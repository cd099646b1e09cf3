/**
 * The documents that Incus returns, as far as this system reads them (REST API of incus 6.0). A missing value takes its
 * default; a value of the wrong type is rejected.
 */
import * as z from 'zod';

/** The prefix of this system's keys in the configuration of an instance. */
export const metadataPrefix = 'user.containarium.';

const stringMap = z.record(z.string(), z.string());
const deviceMap = z.record(z.string(), stringMap);

/**
 * The status of an instance, with `Ready` read as `Running`. Root in a container makes its instance `Ready` through the
 * guest API (`PATCH state=Ready` over /dev/incus); for everything else the instance runs as before. It is read so here,
 * so that no comparison of a status can forget it.
 */
const instanceStatus = z.string().transform((status) => (status === 'Ready' ? 'Running' : status));

export const instanceState = z.object({
  status: instanceStatus,
  disk: z.record(z.string(), z.object({ usage: z.number().default(0), total: z.number().default(0) })).nullish(),
  memory: z.object({ usage: z.number().default(0), total: z.number().default(0) }).nullish(),
  network: z
    .record(
      z.string(),
      z.object({
        addresses: z.array(z.object({ family: z.string(), address: z.string(), scope: z.string() })).nullish(),
        counters: z.object({ bytes_received: z.number().default(0), bytes_sent: z.number().default(0) }).nullish(),
        hwaddr: z.string().default(''),
      }),
    )
    .nullish(),
  cpu: z.object({ usage: z.number().default(0) }).nullish(),
  /** The process id of the container's init on the host; 0 unless it runs. */
  pid: z.number().nullish(),
  processes: z.number().nullish(),
  started_at: z.string().nullish(),
});

export const instance = z.object({
  name: z.string(),
  type: z.string().default('container'),
  status: instanceStatus,
  created_at: z.string().default(''),
  last_used_at: z.string().default(''),
  location: z.string().default('none'),
  config: stringMap.default({}),
  devices: deviceMap.default({}),
  expanded_config: stringMap.nullish(),
  expanded_devices: deviceMap.nullish(),
  snapshots: z.array(z.object({ name: z.string(), created_at: z.string().default('') })).nullish(),
  state: instanceState.nullish(),
});

/**
 * An instance in a list with state. Incus 6.0 lists one whose state it cannot read, for example while its init dies, by
 * its name and the status Error alone; the rest is null (instances_get.go).
 */
export const listedInstance = instance.extend({ config: stringMap.nullish(), devices: deviceMap.nullish() });

export const image = z.object({
  fingerprint: z.string(),
  size: z.number().default(0),
  created_at: z.string().default(''),
  uploaded_at: z.string().default(''),
  properties: stringMap.nullish(),
  aliases: z.array(z.object({ name: z.string() })).nullish(),
});

export const network = z.object({
  name: z.string(),
  type: z.string(),
  managed: z.boolean().default(false),
  config: stringMap.default({}),
});

export const pool = z.object({
  name: z.string(),
  driver: z.string(),
  status: z.string().default(''),
  config: stringMap.default({}),
});

export const poolResources = z.object({
  space: z.object({ used: z.number().default(0), total: z.number().default(0) }),
});

export const server = z.object({
  auth: z.string(),
  api_extensions: z.array(z.string()).default([]),
  environment: z.object({
    server_version: z.string(),
    kernel_version: z.string().default(''),
    os_name: z.string().nullish(),
    os_version: z.string().nullish(),
    storage: z.string().nullish(),
    firewall: z.string().nullish(),
  }),
});

export const operation = z.object({
  id: z.string(),
  description: z.string().default(''),
  status: z.string(),
  resources: z.record(z.string(), z.array(z.string())).nullish(),
});

export type IncusInstance = z.infer<typeof instance>;
export type IncusInstanceState = z.infer<typeof instanceState>;
export type IncusImage = z.infer<typeof image>;
export type IncusNetwork = z.infer<typeof network>;
export type IncusPool = z.infer<typeof pool>;
export type IncusServer = z.infer<typeof server>;
export type IncusOperation = z.infer<typeof operation>;
