import { expect, it } from 'vitest';
import { startServer } from '../support/server.ts';
import { expectedStory } from './expected.ts';
import { makeWorld, runStory } from './story.ts';

it('the simulated host answers the story of a container as expected.json records it', async () => {
  const answers = await runStory(await makeWorld(await startServer({ config: { jump: { hostname: '127.0.0.1' } } })));
  expect(answers).toEqual(await expectedStory(answers, true));
});
