import { afterEach, describe, expect, it } from 'vitest';
import { Interrupts } from '../../../src/client/interrupts.ts';

let interrupts: Interrupts;
afterEach(() => interrupts.stop());

const ctrlC = (): boolean => process.emit('SIGINT');

describe('Ctrl-C while a command runs on a server', () => {
  it('is sent to the server twice, and cuts the call off the third time', () => {
    let sent = 0;
    interrupts = new Interrupts(() => (sent += 1));
    ctrlC();
    ctrlC();
    expect([sent, interrupts.gaveUp.aborted]).toEqual([2, false]);
    ctrlC();
    expect(interrupts.gaveUp.aborted).toBe(true);
  });

  it('ends an open question, and is sent to the server again once that is answered', async () => {
    let sent = 0;
    interrupts = new Interrupts(() => (sent += 1));
    const asked = interrupts.during((interrupted) => interrupted);
    ctrlC();
    await expect(asked).rejects.toMatchObject({ code: 'cancelled' });
    expect(sent).toBe(0);
    expect(await interrupts.during(() => Promise.resolve('answer'))).toBe('answer');
    ctrlC();
    expect(sent).toBe(1);
  });
});
