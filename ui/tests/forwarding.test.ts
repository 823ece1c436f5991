import { expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { forwarding, OWN } from '../src/backend/samples';
import { part, put } from './stage';

test('a rule is changed at once, a number once it is typed', async () => {
  const { backend } = await put('settings-forwarding');
  await part('forward-does-busy').selectOptions('voicemail');
  const busy = { when: 'busy', outsideOffice: false, number: '', afterS: null };
  expect(backend.sent).toContainEqual({ do: 'setForwarding', account: OWN, rule: { ...busy, does: 'voicemail' } });
  const before = backend.sent.length;
  await part('forward-does-busy').selectOptions('number');
  expect(backend.sent).toHaveLength(before);
  await part('forward-number-busy').fill('102');
  await page.getByRole('heading', { name: 'Call forwarding' }).click();
  expect(backend.sent.at(-1)).toEqual({ do: 'setForwarding', account: OWN, rule: { ...busy, does: 'number', number: '102' } });
  await part('forward-after-noAnswer').selectOptions('45');
  expect(backend.sent.at(-1)).toEqual({ do: 'setForwarding', account: OWN, rule: { when: 'noAnswer', outsideOffice: false, does: 'voicemail', number: '', afterS: 45 } });
});

test('office hours have rules of their own, and nothing rings where nobody is', async () => {
  await put('settings-forwarding');
  await expect.element(part('forward-does-available')).toHaveValue('ring');
  await part('outside-office').click();
  await expect.element(part('forward-does-available')).toHaveValue('');
  await expect.element(part('forward-does-offline').getByRole('option', { name: 'Ring', exact: true })).not.toBeInTheDocument();
});

test('what the PBX refused is said, and the page is not there where there are no rules', async () => {
  const { backend } = await put('settings-forwarding-refused');
  await expect.element(part('forward-problem')).toBeVisible();
  backend.emit({ what: 'forwarding', views: [forwarding()] });
  await expect.element(part('forward-problem')).not.toBeInTheDocument();
  backend.emit({ what: 'forwarding', views: [] });
  await expect.element(part('settings-forwarding')).not.toBeInTheDocument();
});
