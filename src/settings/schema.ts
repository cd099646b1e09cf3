/**
 * Every key of the configuration file, checked and documented here: docs/configuration.md is generated from the
 * descriptions. A daemon does not search for its configuration, and an unknown key is an error, not a typo waiting to
 * be found.
 */
import { z } from 'zod';
import { parseAddressAndPort } from './listen.ts';
import { sshSettings } from './ssh.ts';
import { absolutePath, groupName, image, name, parsed, size } from './types.ts';

export const settingsSchema = z.strictObject({
  listen: parsed(parseAddressAndPort)
    .meta({ title: 'address:port' })
    .prefault('0.0.0.0:2222')
    .describe(
      'Address and port of the SSH server. `CONTAINARIUM_LISTEN` overrides it. Port 0 takes a free one, which is printed.',
    ),
  host: z
    .enum(['auto', 'incus', 'simulated'])
    .default('auto')
    .describe(
      '`incus` is the real host, `simulated` a simulation in a file; `auto` takes Incus where it is reachable and usable at the first start, and stays with what it chose. `CONTAINARIUM_HOST` overrides it.',
    ),
  jump: z
    .strictObject({
      hostname: z
        .string()
        .regex(/^[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$/, 'a host name or an address')
        .optional()
        .describe(
          'Name or address under which users reach this host. Without it: the address that the caller reached.',
        ),
      port: z.number().int().min(1).max(65_535).default(22).describe("Port of the host's own sshd, as users reach it."),
      group: groupName
        .default('containarium-jump')
        .describe('Primary group of all jump accounts; the sshd drop-in matches it.'),
      sshdConfig: absolutePath
        .default('/etc/ssh/sshd_config')
        .describe("Configuration of the host's sshd, which `doctor` asks what it would do for a jump account."),
      authorizedKeysFolder: absolutePath
        .optional()
        .describe(
          "Where the jump accounts' authorized_keys files are. Default: `authorized_keys` in the home of the server.",
        ),
      hostKeys: z
        .array(absolutePath)
        .default([
          '/etc/ssh/ssh_host_ed25519_key.pub',
          '/etc/ssh/ssh_host_ecdsa_key.pub',
          '/etc/ssh/ssh_host_rsa_key.pub',
        ])
        .describe(
          "Public host keys of the host's sshd, for the known_hosts lines of `export`. Missing files are passed over.",
        ),
    })
    .prefault({})
    .describe("The host's own sshd and the jump accounts."),
  incus: z
    .strictObject({
      pool: name
        .optional()
        .describe(
          "Storage pool for containers. Default: that of the root disk of Incus's default profile, or the only one there is.",
        ),
      network: name
        .optional()
        .describe('Managed bridge for containers. Default: that of the default profile, or the only one there is.'),
    })
    .prefault({})
    .describe('Where in Incus containers are put.'),
  defaults: z
    .strictObject({
      cpu: z.number().int().min(1).max(512).default(4).describe('CPUs of a container.'),
      memory: size.prefault('4GiB').describe('Memory of a container.'),
      disk: size.prefault('50GiB').describe('Size of the root disk; ignored where the pool has no quotas.'),
      autostart: z.boolean().default(true).describe('Start containers when the host boots.'),
      docker: z.boolean().default(true).describe('Allow Docker inside (`security.nesting`).'),
    })
    .prefault({})
    .describe('What `create` takes where it is not told otherwise.'),
  image: z
    .strictObject({
      base: image
        .prefault('images:ubuntu/24.04')
        .describe(
          'The image that the prepared image is built from: a remote image or a local alias, Debian or Ubuntu.',
        ),
      packages: z
        .array(z.string().regex(/^[a-z0-9][a-z0-9.+-]+$/, 'a Debian package name'))
        .default(['openssh-server', 'sudo', 'docker.io', 'git', 'curl', 'vim', 'htop'])
        .describe('Packages of the prepared image. openssh-server and sudo are always added.'),
    })
    .prefault({})
    .describe('The prepared image.'),
  timeouts: z
    .strictObject({
      readyMs: z
        .number()
        .int()
        .min(1000)
        .default(120_000)
        .describe('How long a new or started container may take until its sshd answers.'),
      readMs: z.number().int().min(100).default(20_000).describe('Limit of one question to Incus.'),
      changeMs: z.number().int().min(100).default(60_000).describe('Limit of one change by Incus.'),
      copyMs: z
        .number()
        .int()
        .min(1000)
        .default(900_000)
        .describe('Limit of work that copies data: creating, publishing, installing packages.'),
    })
    .prefault({})
    .describe('Time limits in milliseconds. A program that runs longer is stopped, and its step undone.'),
  journal: z
    .strictObject({
      segmentBytes: z
        .number()
        .int()
        .min(65_536)
        .default(8 * 1024 * 1024)
        .describe('Size at which a new journal file is begun.'),
    })
    .prefault({})
    .describe('The audit journal.'),
  ssh: sshSettings,
  metrics: z
    .strictObject({
      listen: parsed(parseAddressAndPort)
        .meta({ title: 'address:port' })
        .optional()
        .describe(
          'Where Prometheus may ask for figures (`GET /metrics`, plain HTTP), for example `127.0.0.1:9187`. Without it nothing listens: whoever has an account on this host could read them.',
        ),
      anyAddress: z
        .boolean()
        .default(false)
        .describe("Allow an address that is not the loopback's. There is no password and no encryption."),
    })
    .refine(
      ({ listen, anyAddress }) => listen === undefined || anyAddress || /^(127\.|::1$)/.test(listen.address),
      'metrics.listen is not a loopback address; metrics.anyAddress allows that',
    )
    .prefault({})
    .describe('Figures for Prometheus.'),
});
