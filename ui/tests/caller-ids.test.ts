import { expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { OWN } from '../src/backend/samples';
import { complaints } from './axe';
import { part, put } from './stage';

test('the number that is shown is chosen beside the keypad, or in the settings', async () => {
  const { backend } = await put('find-shown-as');
  await expect.element(part('shown-as')).toHaveValue('+442079460114');
  expect(await complaints()).toEqual([]);
  await userEvent.selectOptions(part('shown-as'), '+442079460100');
  await userEvent.selectOptions(part('shown-as'), '');
  expect(backend.sent).toEqual([{ do: 'showAs', account: OWN, number: '+442079460100' }, { do: 'showAs', account: OWN, number: null }]);
  const { backend: settings } = await put('settings-shown-as');
  await userEvent.selectOptions(part(`shown-as-${OWN}`), '+441174960148');
  expect(settings.sent).toEqual([{ do: 'showAs', account: OWN, number: '+441174960148' }]);
});

test('an account whose PBX offers no numbers has none to choose', async () => {
  await put('find-both-as');
  await expect.element(part('shown-as')).toBeVisible();
  await userEvent.selectOptions(part('call-as'), '31@harbour.example');
  await expect.element(part('shown-as')).not.toBeInTheDocument();
  await put('find-call-as');
  await expect.element(part('shown-as')).not.toBeInTheDocument();
});
