import { expect, test } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { OWN, served } from '../src/backend/samples';
import { complaints } from './axe';
import { part, put } from './stage';

test('who serves queues sees how he stands in each, and stands otherwise', async () => {
  const { backend } = await put('queues');
  await part('own-menu').click();
  await expect.element(part('queue-q1')).toHaveTextContent('Sales Ready');
  await expect.element(part('queue-q2')).toHaveTextContent('Support Paused');
  await part('queue-q3').click();
  await expect.element(part('queue-q3-loggedOut')).toHaveAttribute('aria-checked', 'true');
  expect((await complaints()).filter((fault) => !fault.startsWith('region:'))).toEqual([]);
  await part('queue-q3-ready').click();
  expect(backend.sent).toEqual([{ do: 'setQueue', account: OWN, queue: 'q3', choice: 'ready' }]);
  backend.emit({ what: 'queues', views: served().map((queue) => ({ ...queue, saving: true })) });
  await part('own-menu').click();
  await expect.element(part('queue-q1')).toHaveTextContent('Saving…');
});

test('keys alone reach a queue', async () => {
  const { backend } = await put('queues');
  part('own-menu').element().focus();
  await userEvent.keyboard('{Enter}');
  await expect.element(part('queue-q1')).toBeVisible();
  await userEvent.keyboard('Sup{ArrowRight}');
  await expect.element(part('queue-q2-paused')).toBeVisible();
  await userEvent.keyboard('{Enter}');
  expect(backend.sent).toEqual([{ do: 'setQueue', account: OWN, queue: 'q2', choice: 'ready' }]);
});

test('where there are none, nothing speaks of them', async () => {
  await put('empty');
  await part('own-menu').click();
  await expect.element(part('sign-out')).toBeVisible();
  await expect.element(page.getByText('Queues')).not.toBeInTheDocument();
});
