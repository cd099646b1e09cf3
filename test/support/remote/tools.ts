/** Clients that nobody here wrote, installed once into the user's cache: grpcurl, grpc_health_probe, grpcio. */
import { access, mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'containarium-tests');

const goTools = {
  grpcurl: 'github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3',
  'grpc-health-probe': 'github.com/grpc-ecosystem/grpc-health-probe@v0.4.40',
} as const;

/** Returns the path of a tool that Go builds. Rejects if this machine has no Go. */
export async function goTool(name: keyof typeof goTools): Promise<string> {
  const folder = join(cache, goTools[name].replace(/.*@/, `${name}-`));
  const path = join(folder, name);
  if (await exists(path)) return path;
  await mkdir(folder, { recursive: true });
  await execa('go', ['install', goTools[name]], { env: { GOBIN: folder, GOFLAGS: '-p=2' }, timeout: 600_000 });
  return path;
}

/** Returns a Python that has grpcio and its tools. */
export async function pythonWithGrpc(): Promise<string> {
  const folder = join(cache, 'python-grpcio-1.74.0');
  const python = join(folder, 'bin', 'python3');
  if (await exists(join(folder, 'complete'))) return python;
  await execa('python3', ['-m', 'venv', '--clear', folder], { timeout: 120_000 });
  await execa(python, ['-m', 'pip', 'install', '--quiet', 'grpcio==1.74.0', 'grpcio-tools==1.74.0'], {
    timeout: 600_000,
  });
  await execa('touch', [join(folder, 'complete')]);
  return python;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Why these clients cannot be had here, or undefined. */
export async function missingTools(): Promise<string | undefined> {
  for (const [program, ...args] of [
    ['go', 'version'],
    ['python3', '-m', 'venv', '--help'],
  ] as const) {
    const { failed } = await execa(program, args, { reject: false });
    if (failed) return `this machine has no ${program}`;
  }
  return undefined;
}
