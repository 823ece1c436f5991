import { expect, test } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import type { PhoneEvent } from '../src/backend/backend';
import { account } from '../src/backend/samples';
import { smallPbx } from '../src/backend/small-pbx';
import { begin, focused, part, put } from './stage';

const sayings = (backend: { sent: unknown[] }) => backend.sent;

test('a call is held from its card and by its key, and comes back from where it sleeps', async () => {
  const { backend, phone } = await put('active-call');
  await part('hold').click();
  await userEvent.keyboard('h');
  expect(sayings(backend)).toEqual([{ do: 'hold', call: 5 }, { do: 'hold', call: 5 }]);
  const view = phone.calls.find((call) => call.view.id === 5)!.view;
  backend.emit({ what: 'call', view: { ...view, state: { is: 'held', since: Date.now() - 60_000 } } });
  await expect.element(part('call-state')).toHaveTextContent('On hold');
  await part('resume').click();
  expect(sayings(backend).at(-1)).toEqual({ do: 'resume', call: 5 });
});

test('who calls is drawn with the portrait that the contacts have, once it is here', async () => {
  const { backend, phone } = await put('incoming');
  const view = phone.calls[0]!.view;
  backend.emit({ what: 'call', view: { ...view, peer: { ...view.peer, picture: '/api/blobs/1' } } });
  await expect.poll(() => phone.calls[0]!.view.peer.picture).toBe('/api/blobs/1');
  expect(document.querySelectorAll('.av img')).toHaveLength(0);
  backend.emit({ what: 'portrait', account: view.account, reference: '/api/blobs/1', portrait: 'data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=' });
  await expect.poll(() => document.querySelectorAll('.av img').length).toBeGreaterThan(0);
});

test('two calls: swap and merge stand between them', async () => {
  const { backend } = await put('two-calls');
  await part('swap').click();
  await part('merge').click();
  expect(sayings(backend)).toEqual([{ do: 'resume', call: 4 }, { do: 'merge', calls: [5, 4] }]);
});

test('digits and mute go to the call that is awake', async () => {
  const { backend } = await put('three-calls');
  await userEvent.keyboard('mk12');
  expect(sayings(backend)).toEqual([
    { do: 'mute', call: 5, muted: false }, { do: 'sendDigits', call: 5, digits: '1' }, { do: 'sendDigits', call: 5, digits: '2' },
  ]);
});

test('who is muted and talks is told, and can be heard again with one press', async () => {
  const { backend } = await put('muted-talk');
  await expect.element(part('muted-talk')).toBeVisible();
  await part('unmute').click();
  expect(sayings(backend)).toEqual([{ do: 'mute', call: 5, muted: false }]);
});

test('a call is handed on to a number, by keyboard alone', async () => {
  const { backend } = await put('active-call');
  await userEvent.keyboard('t');
  await expect.poll(focused).toBe('transfer-target');
  await userEvent.keyboard('{Enter}231{Enter}');
  expect(sayings(backend)).toEqual([{ do: 'transfer', call: 5, target: '231' }]);
  await expect.poll(focused).toBe('transfer');
});

test('Esc leaves the transfer as it was', async () => {
  const { backend } = await put('active-call');
  await part('transfer').click();
  await userEvent.keyboard('9{Escape}');
  await expect.poll(focused).toBe('transfer');
  await expect.element(part('transfer-target')).not.toBeInTheDocument();
  expect(sayings(backend)).toEqual([]);
});

test('two calls are joined', async () => {
  const { backend } = await put('two-calls');
  await part('transfer').click();
  await page.getByRole('button', { name: 'Connect with Kenji Morita' }).click();
  expect(sayings(backend)).toEqual([{ do: 'transferTo', call: 5, to: 4 }]);
});

test('a call is parked', async () => {
  const { backend } = await put('active-call');
  await part('more').click();
  await part('park').click();
  expect(sayings(backend)).toEqual([{ do: 'park', call: 5, slot: null }]);
});

test('a conference is muted, held and taken apart', async () => {
  const { backend } = await put('conference');
  await expect.element(page.getByRole('article', { name: 'Conference of 3' })).toBeInTheDocument();
  await userEvent.keyboard('mh');
  await part('split').first().click();
  await part('end').click();
  expect(sayings(backend)).toEqual([
    { do: 'mute', call: 4, muted: true }, { do: 'hold', call: 4 }, { do: 'split', call: 4 }, { do: 'hangUp', call: 4 }, { do: 'hangUp', call: 5 },
  ]);
});

test('being held, forwarded and handed on is said', async () => {
  await put('held-there');
  await expect.element(part('remote-held')).toHaveTextContent('They put you on hold');
});

test('what waits to be sent is sent when it is wanted', async () => {
  const { backend } = await put('transferring');
  await expect.element(part('transferring')).toHaveTextContent('Handing on to 231');
  await part('send-waiting').click();
  expect(sayings(backend)).toEqual([{ do: 'sendWaiting', call: 5 }]);
});

test('a caller is sent to voicemail where the PBX can do that', async () => {
  const { backend } = await put('forwarded');
  await expect.element(page.getByText('forwarded by Kenji Morita')).toBeInTheDocument();
  await expect.element(part('to-voicemail')).not.toBeInTheDocument();
  backend.emit({ what: 'account', view: account(undefined, { codes: { toVoicemail: '*55' } }) });
  await part('to-voicemail').click();
  expect(sayings(backend)).toEqual([{ do: 'toVoicemail', call: 5, number: null }]);
});

test('the certificate of a SIP server is looked at before it is trusted', async () => {
  const { backend } = await put('sip-certificate');
  await part('look-at-certificate').click();
  await expect.element(part('fingerprint')).toBeInTheDocument();
  await part('go-back').click();
  expect(sayings(backend)).toEqual([]);
  await part('look-at-certificate').click();
  await part('trust').click();
  expect(sayings(backend)).toMatchObject([{ do: 'trustSipServer', account: account().id }]);
});

test('what the phone does with calls by itself is chosen', async () => {
  const { backend } = await put('settings-calls');
  await part('prefer-dnd').click();
  backend.emit({ what: 'callPreferences', preferences: { doNotDisturb: true } });
  await part('prefer-dtmf').selectOptions('info');
  expect(sayings(backend)).toEqual([
    { do: 'preferInCalls', preferences: { doNotDisturb: true } }, { do: 'preferInCalls', preferences: { doNotDisturb: true, dtmf: 'info' } },
  ]);
});

test('what is done to the voice is chosen', async () => {
  const { backend } = await put('settings-voice');
  await expect.element(part('voice-echo')).toBeChecked();
  await part('voice-gain').click();
  backend.emit({ what: 'voicePreferences', preferences: { gain: true } });
  await part('voice-noise').selectOptions('high');
  expect(backend.sent.filter((command) => command.do === 'preferVoice')).toEqual([
    { do: 'preferVoice', preferences: { gain: true } }, { do: 'preferVoice', preferences: { gain: true, noise: 'high' } },
  ]);
});

test('the meters move as long as they are looked at, and judge the last seconds', async () => {
  const { backend } = await put('settings-voice');
  const level = (microphone: number, speaker = 0): PhoneEvent => ({ what: 'levels', microphone, speaker });
  const meter = page.getByRole('meter', { name: 'Level of your microphone' });
  expect(backend.sent).toEqual([{ do: 'meter', on: true }]);
  await expect.element(part('level-microphone')).toHaveTextContent('Good level');
  backend.emit(level(100), level(12, 41));
  await expect.element(meter).toHaveAttribute('aria-valuenow', '12');
  await expect.element(page.getByRole('meter', { name: 'Level of your speaker' })).toHaveAttribute('aria-valuenow', '41');
  await expect.element(part('level-microphone')).toHaveTextContent('Too loud');
  backend.emit(...Array.from({ length: 30 }, () => level(12)));
  await expect.element(part('level-microphone')).toHaveTextContent('Say something');
  await part('try-speaker').click();
  await part('settings-accounts').click();
  await expect.poll(() => backend.sent.slice(-2)).toEqual([{ do: 'trySpeaker' }, { do: 'meter', on: false }]);
});

test('a second call is made beside the first, and both are brought together', async () => {
  const { backend } = await begin(smallPbx(10));
  backend.emit({ what: 'signIn', view: { ...(await backend.picture()).signIn, page: 'done' } }, { what: 'account', view: account() });
  await part('echo').click();
  await expect.element(part('call-timer')).toBeInTheDocument();
  await part('add').click();
  await expect.poll(focused).toBe('find');
  await userEvent.keyboard('231{Enter}');
  await expect.element(part('swap')).toBeInTheDocument();
  await expect.element(part('call-timer')).toBeInTheDocument();
  await part('merge').click();
  await expect.element(part('conference')).toBeInTheDocument();
});

test('the key ends the call that talks, not one that is held', async () => {
  const { backend, phone } = await put('two-calls');
  const [held, awake] = [4, 5].map((id) => phone.calls.find((call) => call.view.id === id)!.view);
  // They change places: the older one talks now.
  backend.emit({ what: 'call', view: { ...awake!, state: held!.state } });
  backend.emit({ what: 'call', view: { ...held!, state: awake!.state } });
  await expect.poll(() => phone.running[0]!.view.state.is).toBe('active');
  await userEvent.keyboard('{Control>}{Shift>}e{/Shift}{/Control}');
  expect(sayings(backend)).toEqual([{ do: 'hangUp', call: 4 }]);
});

test('a call that is answered beside a held conference may join it', async () => {
  const { backend } = await put('conference-held');
  await part('merge').click();
  expect(sayings(backend)).toEqual([{ do: 'merge', calls: [5, 3] }]);
});

test('do not disturb is in view, and is ended there', async () => {
  const { backend } = await put('do-not-disturb');
  await part('disturb').click();
  expect(sayings(backend)).toEqual([{ do: 'preferInCalls', preferences: { doNotDisturb: false } }]);
});

test('a text message stays until it is put away', async () => {
  const { phone } = await put('message');
  await expect.element(part('message')).toHaveTextContent('Marta Oduya');
  await part('message-read').click();
  await expect.element(part('message')).not.toBeInTheDocument();
  expect(phone.messages).toEqual([]);
});

test('why somebody cannot hear is said in a line, with the one thing to do', async () => {
  const { backend, phone } = await put('verdict-muted');
  await expect.element(part('verdict')).toHaveTextContent('You are muted. Marta Oduya cannot hear you.');
  await part('verdict-act').click();
  expect(sayings(backend)).toEqual([{ do: 'mute', call: 5, muted: false }]);
  const view = phone.calls.find((call) => call.view.id === 5)!.view;
  backend.emit({ what: 'call', view: { ...view, muted: false, verdict: 'notHeardThere' } });
  await part('verdict-act').click();
  expect(sayings(backend).slice(1)).toEqual([{ do: 'hangUp', call: 5 }, { do: 'dial', account: null, target: '07700 900 312' }]);
  backend.emit({ what: 'call', view: { ...view, muted: false, verdict: null } });
  await expect.element(part('verdict-act')).not.toBeInTheDocument();
});

test('a call is recorded by its button and its key, and the file is named when it is over', async () => {
  const { backend, phone } = await put('active-call');
  await part('record').click();
  const view = phone.calls.find((call) => call.view.id === 5)!.view;
  backend.emit({ what: 'call', view: { ...view, recording: true, recorded: '/records/marta.wav' } });
  await expect.element(part('record')).toHaveTextContent('Recording');
  await userEvent.keyboard('r');
  expect(sayings(backend)).toEqual([{ do: 'record', call: 5, on: true }, { do: 'record', call: 5, on: false }]);
  backend.emit({ what: 'call', view: { ...view, recorded: '/records/marta.wav', state: { is: 'ended', end: { reason: 'hungUpThere', status: null, lastedS: 9 } } } });
  await expect.element(part('recorded')).toHaveTextContent('/records/marta.wav');
});
