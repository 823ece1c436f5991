import { expect, test } from 'vitest';
import { OWN } from '../src/backend/samples';
import { complaints } from './axe';
import { part, put } from './stage';

// A menu floats outside of every landmark, as menus do; all else must be in order.
const faults = async () => (await complaints()).filter((fault) => !fault.startsWith('region:'));

test('one’s own status is chosen where the PBX keeps it, and its note written', async () => {
  const { backend } = await put('status');
  await expect.element(part('own-menu')).toHaveAttribute('title', 'Nora Lindqvist: account, At lunch');
  await part('own-menu').click();
  await expect.element(part('status-lunch')).toHaveAttribute('aria-checked', 'true');
  expect(await faults()).toEqual([]);
  await part('status-doNotDisturb').click();
  await part('own-menu').click();
  await part('status-note').click();
  await expect.element(part('note')).toHaveValue('Back at two');
  expect(await faults()).toEqual([]);
  await part('note').fill('At the gate ');
  await part('save-note').click();
  expect(backend.sent).toEqual([
    { do: 'setPresence', account: OWN, presence: 'doNotDisturb', note: 'Back at two' }, { do: 'setPresence', account: OWN, presence: 'lunch', note: 'At the gate' },
  ]);
  await expect.element(part('note')).not.toBeInTheDocument();
});

test('where the PBX keeps none, there is none to choose', async () => {
  await put('empty');
  await part('own-menu').click();
  await expect.element(part('sign-out')).toBeInTheDocument();
  await expect.element(part('status-note')).not.toBeInTheDocument();
});
