import { expect, it } from 'vitest';
import { startServer } from '../support/server.ts';
import { expectedStory } from './expected.ts';
import { makeWorld, tellStory } from './story.ts';

it('the simulated host tells the story of a container as expected', async () => {
  const told = await tellStory(await makeWorld(await startServer()));
  expect(told).toEqual(await expectedStory(told, true));
});
