import { expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { account, OWN } from '../src/backend/samples';
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

test('one is hidden in the next call alone, and not in the one after it', async () => {
  const { backend } = await put('find-shown-as');
  await userEvent.selectOptions(part('shown-as'), 'once');
  await userEvent.click(part('call-typed'));
  await userEvent.fill(part('find'), '102');
  await expect.element(part('shown-as')).toHaveValue('+442079460114');
  await userEvent.click(part('call-typed'));
  const calls = backend.sent.filter((command) => command.do === 'dial' || command.do === 'dialHidden');
  expect(calls).toEqual([{ do: 'dialHidden', account: null, target: '020 7946' }, { do: 'dial', account: null, target: '102' }]);
});

test('one is hidden in all calls, and no longer', async () => {
  const { backend } = await put('find-hidden');
  await expect.element(part('shown-as')).toHaveValue('always');
  expect(await complaints()).toEqual([]);
  await userEvent.selectOptions(part('shown-as'), '+442079460100');
  expect(backend.sent).toEqual([{ do: 'hideNumber', account: OWN, hidden: false }, { do: 'showAs', account: OWN, number: '+442079460100' }]);
  const { backend: settings } = await put('settings-accounts');
  await userEvent.selectOptions(part(`shown-as-${OWN}`), 'always');
  expect(settings.sent).toEqual([{ do: 'hideNumber', account: OWN, hidden: true }]);
});

test('an account whose PBX offers no numbers can only be hidden, and one whose PBX does not offer that cannot', async () => {
  const { backend } = await put('find-both-as');
  const offered = () => [...(part('shown-as').element() as HTMLSelectElement).options].map((option) => option.value);
  await expect.element(part('shown-as')).toBeVisible();
  await userEvent.selectOptions(part('call-as'), '31@harbour.example');
  expect(offered()).toEqual(['', 'once', 'always']);
  const codes = { park: null, groupPark: null, retrieve: null, pickUp: null, groupPickUp: null, voicemail: null, toVoicemail: null, flip: null, hide: null, echo: null };
  await userEvent.selectOptions(part('call-as'), OWN);
  backend.emit({ what: 'account', view: account(undefined, { codes }) });
  await expect.poll(offered).toEqual(['', '+442079460100', '+442079460114', '+441174960148']);
});
