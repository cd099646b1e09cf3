/** `npm run docs`: writes the generated pages and removes the pages of verbs that no longer exist. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot } from '../domain/packageRoot.ts';
import { pages } from './pages.ts';

const folder = join(packageRoot, 'docs');
const made = pages();
const verbs = join(folder, 'verbs');
mkdirSync(verbs, { recursive: true });
for (const name of readdirSync(verbs))
  if (name.endsWith('.md') && !made.has(`verbs/${name}`)) rmSync(join(verbs, name));
for (const [path, text] of made) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}
process.stdout.write(`docs: ${made.size} pages written\n`);
