import { expect, test } from 'vitest';
import { complaints } from './axe';
import { part, put } from './stage';

test('calls are kept longer at once, and shorter after a question', async () => {
  const { backend } = await put('settings-privacy');
  await expect.element(part('keep-calls')).toHaveValue('quarter');
  expect(await complaints()).toEqual([]);
  await part('keep-calls').selectOptions('month');
  await part('forget-all-keep').click();
  await expect.element(part('keep-calls')).toHaveValue('quarter');
  expect(backend.sent).toEqual([]);
  await part('keep-calls').selectOptions('month');
  await part('forget-all-confirm').click();
  await part('keep-calls').selectOptions('always');
  expect(backend.sent).toEqual(['month', 'always'].map((keepCalls) => ({ do: 'preferInCalls', preferences: { keepCalls, publishPresence: true } })));
});

test('what others and this screen learn is chosen', async () => {
  const { backend } = await put('settings-privacy');
  await part('prefer-publish').click();
  await part('notify-names').click();
  expect(backend.sent).toEqual([
    { do: 'preferInCalls', preferences: { keepCalls: 'quarter', publishPresence: false } },
    { do: 'preferDesktop', preferences: { notifyNames: false } },
  ]);
});
