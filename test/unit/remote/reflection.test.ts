/** Reflection in a process that can no longer read the files of its checkout, below a home that is root's alone. */
import fs from 'node:fs';
import { expect, it, vi } from 'vitest';
import { reflectionOf } from '../../../src/remote/services/reflection.ts';

it('is made of files that are read while modules are loaded, and of none later', () => {
  const add = reflectionOf(['containarium.v1.VerbService']);
  const reading = vi.spyOn(fs, 'readFileSync').mockImplementation(() => {
    throw new Error('EACCES: permission denied');
  });
  const added: unknown[] = [];
  try {
    add({ addService: (service) => added.push(service) });
  } finally {
    reading.mockRestore();
  }
  expect(added).toMatchObject([
    { ServerReflectionInfo: { path: '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo' } },
    { ServerReflectionInfo: { path: '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo' } },
  ]);
});
