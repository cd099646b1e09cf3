import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { at, ofType, plan } from './plan.ts';
import { clouds, skipReason, type Cloud } from './tools.ts';
import { given, source, Workspace } from './workspace.ts';

/** Servers and users of each example. */
const examples: Readonly<Record<string, readonly [servers: number, users: number]>> = {
  'single-server-spot': [1, 50],
  'single-server-regular': [1, 50],
  'horizontal-scaling-3-servers': [3, 150],
  'horizontal-scaling-5-servers': [5, 250],
  minimal: [1, 10],
};

/** What exists once for each server. */
const perServer: Readonly<Record<Cloud, readonly string[]>> = {
  gce: [
    'google_compute_address',
    'google_compute_disk',
    'google_compute_instance_group_manager',
    'google_compute_instance_template',
    'google_compute_per_instance_config',
  ],
  aws: [
    'aws_autoscaling_group',
    'aws_ebs_volume',
    'aws_eip',
    'aws_iam_instance_profile',
    'aws_launch_template',
    'aws_network_interface',
  ],
};

/** Networks that get in: what the plan has of them. */
const openTo = {
  gce: (values: unknown): unknown => at(values, 'source_ranges'),
  aws: (values: unknown): unknown => [at(values, 'cidr_ipv4')],
} as const;
const rules = { gce: 'google_compute_firewall', aws: 'aws_vpc_security_group_ingress_rule' } as const;

describe.skipIf(skipReason !== undefined)('the examples of terraform/', () => {
  let workspace: Workspace;
  beforeAll(async () => {
    workspace = await Workspace.open();
  });
  afterAll(() => workspace.close());

  it.each(clouds)('are the same for each cloud: %s', (cloud) => {
    const names = readdirSync(join(source, cloud, 'examples')).map((name) => name.replace(/\.tfvars$/, ''));
    expect(names.sort()).toEqual(Object.keys(examples).sort());
  });

  it.each(clouds.flatMap((cloud) => Object.keys(examples).map((name) => [cloud, name] as const)))(
    'have a plan with a place for each user: %s, %s',
    async (cloud, name) => {
      const [servers, users] = examples[name] ?? [0, 0];
      const variables = await workspace.variables(cloud, given[cloud]);
      const planned = await plan(workspace, cloud, [variables, `-var-file=examples/${name}.tfvars`]);

      for (const type of perServer[cloud]) expect(ofType(planned, type), type).toHaveLength(servers);
      expect(planned.changes.filter((change) => !change.startsWith('create '))).toEqual([]);
      expect(at(planned.outputs['capacity_info'], 'estimated_users')).toBeGreaterThanOrEqual(users);
      expect(at(planned.outputs['monthly_cost'], 'users')).toBe(users);
      const networks = ofType(planned, rules[cloud]).flatMap(({ values }) => openTo[cloud](values));
      expect(new Set(networks)).toEqual(
        new Set(['198.51.100.0/24', ...(cloud === 'gce' ? ['35.191.0.0/16', '130.211.0.0/22'] : [])]),
      );
    },
  );

  it.each(clouds)('ask for what only the reader knows: %s', async (cloud) => {
    const { code, stderr } = await workspace.run(cloud, ['plan', '-no-color', '-var-file=examples/minimal.tfvars']);
    expect(code).toBe(1);
    const missing = [...stderr.matchAll(/variable "(\w+)" is not set/g)].map(([, name]) => name);
    expect(missing.sort()).toEqual(Object.keys(given[cloud]).sort());
  });

  it.each(clouds)('refuse a load balancer, and say what to do instead: %s', async (cloud) => {
    const variables = await workspace.variables(cloud, { ...given[cloud], enable_load_balancer: true });
    const { code, stderr } = await workspace.run(cloud, ['plan', '-no-color', variables]);
    expect(code).toBe(1);
    expect(stderr.replaceAll(/\s+/g, ' ')).toMatch(/Each user has one home server\. A load balancer .* --on all/);
  });
});
