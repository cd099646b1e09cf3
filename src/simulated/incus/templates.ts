/** Simulates the templates of instances, as far as they print one value of the configuration (pongo2). */
import * as z from 'zod';
import { done, incusError } from '../program/answer.ts';
import type { Answer, World } from '../program/answer.ts';
import { instanceNamed } from '../program/lookup.ts';
import type { InstanceRecord } from '../state/state.ts';

const metadata = z.object({
  templates: z.record(z.string(), z.object({ when: z.array(z.string()), template: z.string() })),
});

/** Writes a template: `incus config template edit`. */
export function editTemplate(world: World, name: string, template: string, content: string): Answer {
  const instance = instanceNamed(world, name);
  instance.templates = {
    paths: instance.templates?.paths ?? {},
    texts: { ...instance.templates?.texts, [template]: content },
  };
  return done();
}

/** Adds to the metadata, which say when and where a template is written. */
export function patchMetadata(world: World, name: string, body: string): Answer {
  const instance = instanceNamed(world, name);
  let checked;
  try {
    checked = metadata.safeParse(JSON.parse(body));
  } catch {
    return incusError('invalid character');
  }
  if (!checked.success) return incusError('the simulated host knows templates only');
  instance.templates = {
    texts: instance.templates?.texts ?? {},
    paths: { ...instance.templates?.paths, ...checked.data.templates },
  };
  return done();
}

const configValue = /\{\{ config_get\("([^"]*)", "([^"]*)"\) \}\}/g;

/** Writes the templates that are due, as a start does. */
export function writeTemplates({ config, files, templates }: InstanceRecord): void {
  const trigger = config['volatile.apply_template'];
  for (const [path, { when, template }] of Object.entries(templates?.paths ?? {})) {
    if (!when.includes('start') && (trigger === undefined || !when.includes(trigger))) continue;
    const content = (templates?.texts[template] ?? '').replaceAll(
      configValue,
      (_, key: string, otherwise: string) => config[key] ?? otherwise,
    );
    files[path] = { content, mode: '0644', uid: 0, gid: 0 };
  }
}
