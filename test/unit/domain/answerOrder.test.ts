/** Answers that overtake each other: the answer to an earlier question loses. */
import { describe, expect, it } from 'vitest';
import { AnswerOrder } from '../../../src/domain/answerOrder.ts';

describe('an answer', () => {
  it('counts if it arrives in the order of the questions', () => {
    const order = new AnswerOrder();
    const [first, second] = [order.ask(), order.ask()];
    expect([first(), second()]).toEqual([true, true]);
  });

  it('is dropped if a later question was answered before', () => {
    const order = new AnswerOrder();
    const [first, second, third] = [order.ask(), order.ask(), order.ask()];
    expect([second(), first(), third()]).toEqual([true, false, true]);
  });
});
