import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { remoteHosts } from '../../src/client/servers.ts';
import { checkSettings } from '../../src/settings/settings.ts';
import { apply, at, ofType, plan, type Contents, type Resource } from './plan.ts';
import { clouds, skipReason, type Cloud } from './tools.ts';
import { given, sampleKey, source, Workspace } from './workspace.ts';

const servers = ['containarium-jump', 'containarium-jump-2', 'containarium-jump-3'];

interface UserData {
  readonly hostname: string;
  readonly write_files: readonly { readonly path: string; readonly content: string; readonly permissions: string }[];
  readonly runcmd: readonly (readonly string[])[];
}

/** Returns what cloud-init gets on a server, out of what the cloud was told. */
function userDataOf(cloud: Cloud, made: Contents, server: string): UserData {
  const [template] = ofType(made, cloud === 'gce' ? 'google_compute_instance_template' : 'aws_launch_template').filter(
    ({ index }) => index === server,
  );
  const text =
    cloud === 'gce'
      ? String(at(template?.values, 'metadata', 'user-data'))
      : gunzipSync(Buffer.from(String(at(template?.values, 'user_data')), 'base64')).toString();
  expect(text).toMatch(/^#cloud-config\n/);
  return parse(text) as UserData;
}

const fileIn = ({ write_files: files }: UserData, path: string): string | undefined =>
  files.find((each) => each.path === path)?.content;

describe.skipIf(skipReason !== undefined).each(clouds)('three servers on %s', (cloud) => {
  let workspace: Workspace;
  let made: Contents;
  let three: string;

  const one = (type: string, server: string): Resource => {
    const [found] = ofType(made, type).filter(({ index }) => index === server);
    if (found === undefined) throw new Error(`no ${type} of ${server}`);
    return found;
  };

  beforeAll(async () => {
    workspace = await Workspace.open();
    three = await workspace.variables(cloud, { ...given[cloud], jump_server_count: 3, use_spot_instance: true });
    made = await apply(workspace, cloud, [three]);
  });
  afterAll(() => workspace.close());

  it('need no change once they are made', async () => {
    expect((await plan(workspace, cloud, [three])).changes).toEqual([]);
  });

  it('cannot be destroyed with their data disks', async () => {
    const { code, stderr } = await workspace.run(cloud, ['destroy', '-no-color', '-auto-approve', three]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/Instance cannot be destroyed/);
    expect(stderr).toMatch(/prevent_destroy/);
  });

  it('cannot become fewer without a word about the disks', async () => {
    const fewer = await workspace.variables(cloud, { ...given[cloud], jump_server_count: 2 }, 'fewer');
    const { code, stderr } = await workspace.run(cloud, ['plan', '-no-color', fewer]);
    expect(code).toBe(1);
    expect(stderr.replaceAll(/\s+/g, ' ')).toMatch(/\["containarium-jump-3"\] has lifecycle\.prevent_destroy set/);
  });

  it('become four without a change of the three', async () => {
    const more = await workspace.variables(
      cloud,
      { ...given[cloud], jump_server_count: 4, use_spot_instance: true },
      'more',
    );
    const { changes } = await plan(workspace, cloud, [more]);
    expect(changes).not.toEqual([]);
    expect(changes.filter((change) => !/^create .*\["containarium-jump-4( \d+)?"\]$/.test(change))).toEqual([]);
  });

  it('have each a disk, an address and a name of its own', () => {
    const disk = cloud === 'gce' ? 'google_compute_disk' : 'aws_ebs_volume';
    for (const server of servers) {
      const { hostname } = userDataOf(cloud, made, server);
      expect(hostname).toBe(server);
      expect(at(made.outputs['jump_servers_ips'], server)).toMatch(/^203\.0\.113\.\d+$/);
    }
    expect(new Set(ofType(made, disk).map(({ values }) => values['id'])).size).toBe(3);
  });

  const checkKept: Readonly<Record<Cloud, () => void>> = {
    gce: () => {
      for (const server of servers) {
        const kept = at(one('google_compute_per_instance_config', server).values, 'preserved_state', 0);
        expect(at(kept, 'disk')).toEqual([
          {
            device_name: 'incus-data',
            source: one('google_compute_disk', server).values['id'],
            mode: 'READ_WRITE',
            delete_rule: 'NEVER',
          },
        ]);
        expect(at(kept, 'external_ip', 0, 'auto_delete')).toBe('NEVER');
        expect(at(kept, 'external_ip', 0, 'ip_address', 0, 'address')).toBe(
          one('google_compute_address', server).values['self_link'],
        );
        const attached = one('google_compute_disk_resource_policy_attachment', server).values;
        expect(attached['disk']).toBe(one('google_compute_disk', server).values['name']);
      }
    },
    // The interface has the address. A machine may attach its own volume, and no other.
    aws: () => {
      for (const server of servers) {
        const template = one('aws_launch_template', server).values;
        const interfaceId = one('aws_network_interface', server).values['id'];
        expect(at(template, 'network_interfaces', 0, 'network_interface_id')).toBe(interfaceId);
        expect(one('aws_eip', server).values['network_interface']).toBe(interfaceId);
        const volume = one('aws_ebs_volume', server).values;
        const { Statement: statements } = JSON.parse(String(one('aws_iam_role_policy', server).values['policy'])) as {
          Statement: readonly Readonly<Record<string, unknown>>[];
        };
        expect(statements).toEqual([
          { Effect: 'Allow', Action: 'ec2:AttachVolume', Resource: volume['arn'] },
          {
            Effect: 'Allow',
            Action: 'ec2:AttachVolume',
            Resource: 'arn:aws:ec2:us-east-1:123456789012:instance/*',
            Condition: { StringEquals: { 'ec2:ResourceTag/containarium_server': server } },
          },
        ]);
        const tags = at(template, 'tag_specifications', 0);
        expect(at(tags, 'resource_type')).toBe('instance');
        expect(at(tags, 'tags', 'containarium_server')).toBe(server);
        const script = fileIn(userDataOf(cloud, made, server), '/etc/containarium-boot/attach-disk');
        expect(script).toContain(`\nvolume=${String(volume['id'])}\n`);
        expect(fileIn(userDataOf(cloud, made, server), '/etc/containarium-boot/values')).toContain(
          `BOOT_DATA_DISK=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${String(volume['id']).replace('-', '')}\n`,
        );
      }
    },
  };

  it('keep disk and address when the group replaces a machine', () => checkKept[cloud]());

  it('get the script of terraform/, byte for byte, and the unit that starts it', async () => {
    const data = userDataOf(cloud, made, servers[1] ?? '');
    for (const [path, name] of [
      ['/etc/containarium-boot/boot.sh', 'boot.sh'],
      ['/etc/systemd/system/containarium-boot.service', 'containarium-boot.service'],
    ] as const)
      expect(fileIn(data, path)).toBe(await readFile(join(source, 'modules/jump-host/files', name), 'utf8'));
    expect(fileIn(data, '/etc/containarium-boot/admins/carol.pub')).toBe(`${sampleKey}\n`);
    expect(data.runcmd.at(-1)).toEqual(['systemctl', 'start', 'containarium-boot.service']);
  });

  it('are told settings that containarium accepts', () => {
    for (const server of servers) {
      const text = fileIn(userDataOf(cloud, made, server), '/etc/containarium-boot/settings.yaml') ?? '';
      const settings = checkSettings(parse(text), 'the rendered settings');
      expect(settings.jump.hostname).toBe(at(made.outputs['jump_servers_ips'], server));
      // Google's health checks connect and log in nowhere.
      expect(settings.ssh.penalties.exempt).toEqual(cloud === 'gce' ? ['35.191.0.0/16', '130.211.0.0/22'] : []);
    }
  });

  it('are asked together with --on all, by the inventory', async () => {
    const home = await mkdtemp(join(tmpdir(), 'containarium-inventory-'));
    try {
      await mkdir(join(home, 'containarium'));
      await writeFile(join(home, 'containarium', 'config.yaml'), String(made.outputs['inventory']));
      const hosts = await remoteHosts({ words: [], on: 'all' }, { XDG_CONFIG_HOME: home });
      expect(hosts?.map(({ name, address }) => [name, address])).toEqual(
        servers.map((name) => [name, `${String(at(made.outputs['jump_servers_ips'], name))}:50051`]),
      );
    } finally {
      await rm(home, { recursive: true });
    }
  });
});
