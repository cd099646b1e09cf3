/**
 * Templates of an instance: files that Incus writes into it at its start, of text with values from its configuration
 * (Incus documentation, "Image format"; pongo2). `publish` takes them over into the image.
 */
import type { IncusClient, IncusLimits } from './client.ts';

export interface InstanceTemplate {
  /** The file's name among the templates of the instance. */
  readonly name: string;
  /** Absolute path of the file inside. */
  readonly path: string;
  /** At the first start after which of these the file is written, `start` for each. */
  readonly when: readonly ('create' | 'copy' | 'rename' | 'start')[];
  readonly content: string;
}

/** Adds a template to an instance, or replaces it, and leaves the others as they are. */
export async function addTemplate(
  client: IncusClient,
  limits: IncusLimits,
  instance: string,
  { name, path, when, content }: InstanceTemplate,
): Promise<void> {
  await client.run(['config', 'template', 'edit', instance, name, '--quiet'], {
    input: content,
    timeoutMs: limits.changeMs,
  });
  // The server reads this into the metadata that it has, so other templates stay (incus 6.0.4, seen).
  const change = { templates: { [path]: { when, create_only: false, template: name, properties: {} } } };
  const document = `/1.0/instances/${encodeURIComponent(instance)}/metadata`;
  await client.run(['query', '--request', 'PATCH', '--data', JSON.stringify(change), document], {
    timeoutMs: limits.changeMs,
  });
}
