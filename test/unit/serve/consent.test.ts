import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { consents } from '../../../src/serve/consent.ts';

function terminal(answer: string | undefined, isTTY = true) {
  const input = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.ReadStream;
  const output = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.WriteStream;
  if (answer !== undefined) (input as unknown as PassThrough).end(answer);
  return { input, output };
}

async function asked(over: { answer?: string; isTTY?: boolean; accepted?: boolean }) {
  const said: string[] = [];
  const { answer, isTTY = true, accepted = false } = over;
  const options = { accepted, how: 'serve --zfs', say: (line: string) => void said.push(line) };
  return { consent: await consents('Install?', { ...options, ...terminal(answer, isTTY) }), said };
}

describe('consents', () => {
  it.each([
    ['y\n', true],
    ['YES\n', true],
    ['\n', false],
    ['n\n', false],
    ['yesterday\n', false],
    // Ctrl-D.
    ['', false],
  ])('takes %j on a terminal as %s', async (answer, consent) => {
    expect(await asked({ answer })).toEqual({ consent, said: [] });
  });

  it('says how to accept where there is no terminal, and does not wait', async () => {
    expect(await asked({ isTTY: false })).toEqual({ consent: false, said: ['Install? To accept: serve --zfs'] });
  });

  it('does not ask if the command line has accepted', async () => {
    expect(await asked({ accepted: true, isTTY: false })).toEqual({ consent: true, said: [] });
  });
});
