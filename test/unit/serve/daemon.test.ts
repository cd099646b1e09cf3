import { describe, expect, test } from 'vitest';
import { readDaemonArguments } from '../../../src/serve/daemon.ts';

describe('the command line of daemon', () => {
  test('listens on every address with mutual TLS unless told otherwise', () => {
    expect(readDaemonArguments(['--mtls']).remote).toEqual({
      listen: { address: '0.0.0.0', port: 50_051 },
      insecureAs: undefined,
    });
  });

  test('without TLS listens on a loopback address and names an admin', () => {
    expect(readDaemonArguments(['--insecure', '--as', 'olga', '--port', '7000']).remote).toEqual({
      listen: { address: '127.0.0.1', port: 7000 },
      insecureAs: 'olga',
    });
    expect(readDaemonArguments(['--insecure', '--as', 'olga', '--address', '::1']).remote.listen.address).toBe('::1');
  });

  test.each([
    ['--insecure'],
    ['--insecure --as olga --address 0.0.0.0'],
    ['--insecure --as olga --address ::'],
    ['--insecure --as olga --mtls'],
    ['--as olga'],
    ['now'],
    ['--port'],
  ])('refuses %j', (words) => {
    expect(() => readDaemonArguments(words.split(' '))).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});
