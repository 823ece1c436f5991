import { expect, test } from 'vitest';
import { problemOf, type PhoneEvent } from '../src/backend/backend';
import { media } from '../src/backend/samples';
import { scenes } from '../src/backend/scenes';
import { Phone, TRACE_LENGTH } from '../src/phone.svelte';

const silent = { send: async () => {}, picture: async () => scenes['active-call']().picture, listen: async () => () => {} };

test('events that come before the picture are kept for after it', async () => {
  let tell: (event: PhoneEvent) => void = () => {};
  let show: () => void = () => {};
  let asked: () => void = () => {};
  const wasAsked = new Promise<void>((done) => (asked = done));
  const picture = scenes['active-call']().picture;
  const phone = new Phone({
    ...silent,
    listen: async (handler) => ((tell = handler), () => {}),
    picture: () => new Promise((done) => ((show = () => done(picture)), asked())),
  });
  const following = phone.follow();
  await wasAsked;
  tell({ what: 'call', view: { ...picture.calls[0]!, muted: true } });
  expect(phone.ready).toBe(false);
  show();
  await following;
  expect(phone.calls.map((call) => call.view.muted)).toEqual([true]);
});

test('the trace keeps the last twenty seconds', async () => {
  const phone = new Phone(silent);
  await phone.follow();
  for (let tick = 0; tick < TRACE_LENGTH + 30; tick++) phone.fold({ what: 'media', call: 5, report: { ...media(tick), levelIn: tick % 100 } });
  expect(phone.traces[5]).toHaveLength(TRACE_LENGTH);
  expect(phone.traces[5]!.at(-1)!.them).toBe((TRACE_LENGTH + 29) % 100);
});

test('an ended call is no longer running, but known until its account is gone', async () => {
  const phone = new Phone(silent);
  await phone.follow();
  expect(phone.running).toHaveLength(1);
  const view = phone.calls[0]!.view;
  phone.fold({ what: 'call', view: { ...view, state: { is: 'ended', end: { reason: 'hungUpThere', status: null, lastedS: 9 } } } });
  expect(phone.running).toEqual([]);
  expect(phone.calls[0]!.endedAt).not.toBeNull();
  phone.fold({ what: 'accountGone', account: view.account });
  expect(phone.calls).toEqual([]);
});

test('a refusal is a problem, whatever its shape', () => {
  expect(problemOf('notNow').code).toBe('notNow');
  expect(problemOf({ code: 'portInUse', detail: 'x', retryAfterS: null }).detail).toBe('x');
  expect(problemOf(new Error('boom'))).toEqual({ code: 'internal', detail: 'Error: boom', retryAfterS: null });
});
