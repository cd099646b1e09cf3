/**
 * The schema of the configuration file. Its descriptions are the documentation: docs/configuration.md is generated from
 * them. An unknown key is an error, because it is most likely a typo.
 */
import * as z from 'zod';
import { parsedText } from '../domain/check.ts';
import { isLoopback } from '../domain/values/network.ts';
import { maxProcesses, minProcesses } from '../domain/values/processes.ts';
import { parseAddressAndPort } from './addressAndPort.ts';
import { alertSettings, reportSettings } from './alerts.ts';
import { firewallSettings } from './firewall.ts';
import { journalSettings } from './journal.ts';
import { remoteSettings } from './remote.ts';
import { backupSettings } from './backups.ts';
import { snapshotSettings } from './snapshots.ts';
import { sysctlSettings } from './sysctl.ts';
import { sshSettings } from './ssh.ts';
import { trashSettings, ttlSettings } from './trash.ts';
import {
  absolutePath,
  bitRate,
  defaultPendingLoginsPerSource,
  defaultSshdConfig,
  groupName,
  image,
  name,
  size,
} from './types.ts';

export const settingsSchema = z.strictObject({
  listen: parsedText(parseAddressAndPort)
    .meta({ title: 'address:port' })
    .prefault('0.0.0.0:2222')
    .describe(
      'Address and port of the SSH server. Port 0 chooses a free port and prints it. `CONTAINARIUM_LISTEN` overrides this setting.',
    ),
  host: z
    .enum(['auto', 'incus', 'simulated'])
    .default('auto')
    .describe(
      '`incus` uses Incus on this host. `simulated` uses a simulation that is stored in a file. `auto` chooses at the first start, Incus if it is reachable and usable, and keeps that choice. `CONTAINARIUM_HOST` overrides this setting.',
    ),
  jump: z
    .strictObject({
      hostname: z
        .string()
        .regex(/^[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$/, 'must be a host name or an address')
        .optional()
        .describe(
          'Host name or address of this host, as users reach it. Without it, ssh configurations name the address that the caller connected to, or JUMP-HOST if that is a loopback address.',
        ),
      port: z.number().int().min(1).max(65_535).default(22).describe("Port of the host's own sshd, as users reach it."),
      group: groupName
        .default('containarium-jump')
        .describe('Primary group of all jump accounts. The sshd drop-in matches this group.'),
      sshdConfig: absolutePath
        .default(defaultSshdConfig)
        .describe("Configuration file of the host's sshd. `doctor` checks how it treats jump accounts."),
      authorizedKeysFolder: absolutePath
        .optional()
        .describe(
          "Folder of the jump accounts' authorized_keys files. Default: `authorized_keys` in the home of the server.",
        ),
      pendingLoginsPerSource: z
        .number()
        .int()
        .min(1)
        .max(10_000)
        .default(defaultPendingLoginsPerSource)
        .describe(
          "Number of connections that one source (an IPv4 address, or the /64 network of an IPv6 address) may have at the host's sshd before they have logged in (PerSourceMaxStartups; MaxStartups follows it). It is for every account of the host. People behind one address who type passphrases at the same time each need one; connections that are logged in do not count. `serve --real` installs it.",
        ),
      passwordLogins: z
        .boolean()
        .optional()
        .describe(
          "Whether the host's sshd may offer passwords. Jump accounts never have one, so a name that is offered a password is seen to have no container. `false` turns passwords off for every account of the host. `true` leaves the host's own setting alone. If not set, they are turned off only where no account of the host has a password. `serve --real` installs it, and `doctor` warns of a difference.",
        ),
      hostKeys: z
        .array(absolutePath)
        .default([
          '/etc/ssh/ssh_host_ed25519_key.pub',
          '/etc/ssh/ssh_host_ecdsa_key.pub',
          '/etc/ssh/ssh_host_rsa_key.pub',
        ])
        .describe(
          "Public host keys of the host's sshd, for the known_hosts lines of `export`. Missing files are skipped.",
        ),
    })
    .prefault({})
    .describe("The host's own sshd and the jump accounts."),
  incus: z
    .strictObject({
      pool: name
        .optional()
        .describe(
          "Storage pool for containers. Default: the pool of the root disk in Incus's default profile, or the only pool.",
        ),
      network: name
        .optional()
        .describe("Managed bridge for containers. Default: the bridge in Incus's default profile, or the only one."),
      scrub: z
        .enum(['monthly', 'never'])
        .default('monthly')
        .describe(
          'How often ZFS reads all data of a pool with containers, to find what has decayed (`zpool scrub`). A pool that the host has scrubbed by itself within four weeks is left alone.',
        ),
    })
    .prefault({})
    .describe('Where Incus places containers.'),
  firewall: firewallSettings,
  defaults: z
    .strictObject({
      cpu: z.number().int().min(1).max(512).default(4).describe('Number of CPUs.'),
      memory: size.prefault('4GiB').describe('Size of the memory.'),
      processes: z
        .number()
        .int()
        .min(minProcesses)
        .max(maxProcesses)
        .default(2000)
        .describe(
          'Maximum number of processes and threads. `reconcile --apply` also gives it to containers that have no limit.',
        ),
      disk: size.prefault('50GiB').describe('Size of the root disk. Ignored if the pool has no quotas.'),
      autostart: z.boolean().default(true).describe('Start the container when the host boots.'),
      docker: z.boolean().default(true).describe('Allow Docker in the container (`security.nesting`).'),
      diskPriority: z
        .number()
        .int()
        .min(0)
        .max(10)
        .optional()
        .describe(
          'Share of the disk under load, from 0 to 10 (`limits.disk.priority`). Not set by default, which Incus treats as 5.',
        ),
      egress: bitRate
        .optional()
        .describe(
          'Limit of the traffic that the container sends, for example `200Mbit` (`limits.egress`). Not set by default.',
        ),
      ingress: bitRate
        .optional()
        .describe(
          'Limit of the traffic that the container receives, for example `200Mbit` (`limits.ingress`). Not set by default.',
        ),
    })
    .prefault({})
    .describe('Defaults for the options of `create`.'),
  image: z
    .strictObject({
      base: image
        .prefault('images:ubuntu/24.04')
        .describe('Image on which the prepared image is based: a remote image or a local alias, of Debian or Ubuntu.'),
      packages: z
        .array(z.string().regex(/^[a-z0-9][a-z0-9.+-]+$/, 'must be a Debian package name'))
        .default(['openssh-server', 'sudo', 'docker.io', 'git', 'curl', 'vim', 'htop'])
        .describe('Packages installed in the prepared image. openssh-server and sudo are always added.'),
      rebuildDays: z
        .number()
        .int()
        .min(0)
        .max(3650)
        .default(30)
        .describe(
          'Age in days from which the prepared image of `base` is built again by itself, so that new containers begin with recent packages; one of another version of this program is built again at once. Containers that exist stay as they are. 0 for never.',
        ),
    })
    .prefault({})
    .describe('The prepared image from which containers are created (`image build`).'),
  timeouts: z
    .strictObject({
      readyMs: z
        .number()
        .int()
        .min(1000)
        .default(120_000)
        .describe('Time within which the sshd of a new or started container must answer.'),
      readMs: z.number().int().min(100).default(20_000).describe('Limit for one query to Incus.'),
      changeMs: z.number().int().min(100).default(60_000).describe('Limit for one change by Incus.'),
      copyMs: z
        .number()
        .int()
        .min(1000)
        .default(900_000)
        .describe('Limit for steps that copy data: creating a container, publishing an image, installing packages.'),
      shutdownMs: z
        .number()
        .int()
        .min(1000)
        .default(30_000)
        .describe(
          'Time for a clean shutdown of a container, after which a stop or restart fails. systemd in a container may need up to 90 s for a service that does not end.',
        ),
    })
    .prefault({})
    .describe('Time limits in milliseconds. A program that exceeds its limit is stopped, and the operation is undone.'),
  snapshots: snapshotSettings,
  trash: trashSettings,
  ttl: ttlSettings,
  backups: backupSettings,
  sysctl: sysctlSettings,
  journal: journalSettings,
  alerts: alertSettings,
  report: reportSettings,
  ssh: sshSettings,
  remote: remoteSettings,
  metrics: z
    .strictObject({
      listen: parsedText(parseAddressAndPort)
        .meta({ title: 'address:port' })
        .optional()
        .describe(
          'Address and port for Prometheus (`GET /metrics`, plain HTTP), for example `127.0.0.1:9187`. Not set by default, because every account on this host could read the metrics.',
        ),
      anyAddress: z
        .boolean()
        .default(false)
        .describe('Allow an address other than loopback. There is no password and no encryption.'),
    })
    .refine(({ listen, anyAddress }) => listen === undefined || anyAddress || isLoopback(listen.address), {
      path: ['listen'],
      error: 'must be a loopback address unless metrics.anyAddress is set',
    })
    .prefault({})
    .describe('Metrics for Prometheus.'),
});
