import { tick } from 'svelte';
import { expect, test, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import App from '../src/App.svelte';
import { account, media, plainCall } from '../src/backend/samples';
import { Phone } from '../src/phone.svelte';
import { focused, part, put } from './stage';

test('the account is a sentence in every state, and the countdown counts', async () => {
  const { backend } = await put('reconnecting');
  await expect.element(part('account-state')).toHaveTextContent(/Reconnecting · trying again in [1-4] s/);
  backend.emit({ what: 'account', view: account({ is: 'reconnecting', retryAt: Date.now() - 1, problem: { code: 'serverSilent', detail: null, retryAfterS: null }, status: null }) });
  await expect.element(part('account-state')).toHaveTextContent('Reconnecting · trying now');
  await part('try-now').click();
  expect(backend.sent).toEqual([{ do: 'reconnect', account: account().id }]);
  backend.emit({ what: 'account', view: account() });
  await expect.element(part('account-state')).toHaveTextContent('Registered · UDP');
  await expect.element(part('try-now')).not.toBeInTheDocument();
});

test('a call stays in sight while the wizard has something to ask', async () => {
  const { backend } = await put('active-call');
  const { signIn, calls } = await backend.picture();
  backend.emit({ what: 'signIn', view: { ...signIn, page: 'sipPassword' } });
  await expect.element(part('call-timer')).toBeInTheDocument();
  await expect.element(part('sip-password')).not.toBeInTheDocument();
  const end = { reason: 'hungUpThere', status: null, lastedS: 9 } as const;
  for (const call of calls) backend.emit({ what: 'call', view: { ...call, state: { is: 'ended', end } } });
  await expect.element(part('sip-password')).toBeInTheDocument();
});

test('nothing can be called while the phone is not connected', async () => {
  const { backend } = await put('find-offline');
  await expect.element(part('echo')).toBeDisabled();
  await expect.element(part('call-typed')).toHaveAttribute('aria-disabled', 'true');
  await part('find').click();
  await userEvent.keyboard('{Enter}');
  expect(backend.sent).toEqual([]);
});

test('digits typed anywhere in the popover land in the field', async () => {
  const { backend } = await put('empty');
  await userEvent.keyboard('{Control>}k{/Control}');
  await page.getByRole('button', { name: '5', exact: true }).click();
  await userEvent.keyboard('55{Backspace}#');
  await expect.element(part('find')).toHaveValue('55#');
  await expect.element(part('call-typed')).toHaveTextContent('Call 55#');
  await userEvent.keyboard('{Escape}');
  await expect.poll(focused).toBe('find');
  await expect.element(part('call-typed')).not.toBeInTheDocument();
  await userEvent.keyboard('{Enter}');
  expect(backend.sent).toEqual([{ do: 'dial', account: null, target: '55#' }]);
});

test('Enter in an empty field calls nobody', async () => {
  const { backend } = await put('ended');
  await part('find').click();
  await expect.element(page.getByRole('option', { name: 'Kenji Morita' })).toBeInTheDocument();
  await userEvent.keyboard('{Enter}{Escape}{Enter}');
  expect(backend.sent).toEqual([]);
  await userEvent.keyboard('{ArrowDown}{ArrowDown}{Enter}');
  expect(backend.sent).toEqual([{ do: 'dial', account: null, target: '07700 900 312' }]);
});

test('arrows choose who was called before', async () => {
  const { backend } = await put('find');
  await part('find').click();
  await userEvent.keyboard('{ArrowDown}{ArrowDown}{Enter}');
  expect(backend.sent).toEqual([{ do: 'dial', account: null, target: '020 7946 0177' }]);
});

test('the first run offers the echo line', async () => {
  const { backend } = await put('empty');
  await part('echo').click();
  expect(backend.sent).toEqual([{ do: 'dial', account: null, target: '9196' }]);
});

test('Enter answers where nothing else has the focus; Esc declines only there', async () => {
  const { backend } = await put('incoming');
  await expect.element(page.getByRole('alertdialog', { name: 'Incoming call: Ingrid Sollund calls Extension 214' })).toHaveFocus();
  await userEvent.keyboard('{Enter}{Escape}');
  expect(backend.sent).toEqual([{ do: 'answer', call: 5 }, { do: 'decline', call: 5 }]);
});

test('an incoming call comes to the front of a narrow window, and hears Enter there', async () => {
  await page.viewport(360, 720);
  try {
    const { backend } = await put('incoming');
    await expect.element(page.getByRole('alertdialog')).toHaveFocus();
    await userEvent.keyboard('{Enter}');
    expect(backend.sent).toEqual([{ do: 'answer', call: 5 }]);
  } finally {
    await page.viewport(1100, 720);
  }
});

test('an incoming call does not take the focus from somebody typing', async () => {
  const { backend } = await put('empty');
  await part('find').click();
  backend.emit({ what: 'call', view: { id: 9, account: account().id, direction: 'incoming', peer: { number: '231', name: null }, state: { is: 'incoming' }, ...plainCall } });
  await expect.element(part('answer')).toBeInTheDocument();
  await userEvent.keyboard('mk{Escape}{Escape}');
  expect(focused()).toBe('find');
  expect(backend.sent).toEqual([]);
  await userEvent.keyboard('{Control>}{Shift>}A{/Shift}{/Control}');
  expect(backend.sent).toEqual([{ do: 'answer', call: 9 }]);
});

test('a running call shows its time, its sound and the truth about encryption', async () => {
  const { backend } = await put('active-call');
  await expect.element(part('call-timer')).toHaveTextContent(/^04:3\d$/);
  await expect.element(page.getByText('Clear both ways')).toBeInTheDocument();
  await expect.element(page.getByText('Not encrypted')).toBeInTheDocument();
  for (const [protection, word, closed] of [
    [{ is: 'pending', keys: 'handshake', suite: null }, 'Encryption is being set up', false],
    [{ is: 'encrypted', keys: 'openSignalling', suite: 'AES_CM_128_HMAC_SHA1_80' }, 'Encrypted, but its keys were sent in the clear', false],
    [{ is: 'encrypted', keys: 'secureSignalling', suite: 'AES_CM_128_HMAC_SHA1_80' }, 'Encrypted', true],
    [{ is: 'encrypted', keys: 'handshake', suite: 'AEAD_AES_256_GCM' }, 'Encrypted', true],
  ] as const) {
    const call = (await backend.picture()).calls.find((call) => call.id === 5)!;
    backend.emit({ what: 'call', view: { ...call, protection } });
    await expect.element(part('padlock')).toHaveTextContent(word);
    expect(part('padlock').element().querySelector('.lucide-lock') !== null).toBe(closed);
  }
  expect(document.querySelector('[data-heard]')?.getAttribute('data-heard')).toBe('true');
  backend.emit({ what: 'media', call: 5, report: media(0, 'nothing') });
  await expect.element(page.getByText('Nothing arriving')).toBeInTheDocument();
});

test('mute and end are said to the phone, and shown only once it says so', async () => {
  const { backend } = await put('active-call');
  await part('mute').click();
  await expect.element(part('mute')).toHaveAttribute('aria-pressed', 'false');
  await part('end').click();
  expect(backend.sent).toEqual([{ do: 'mute', call: 5, muted: true }, { do: 'hangUp', call: 5 }]);
});

test('an ended call says why, and can be called again', async () => {
  const { backend } = await put('ended-busy');
  await expect.element(part('call-state')).toHaveTextContent('Busy');
  await expect.element(page.getByText('Try again in a few minutes.')).toBeInTheDocument();
  await part('call-again').click();
  expect(backend.sent).toEqual([{ do: 'dial', account: null, target: '07700 900 312' }]);
});

test('one’s own menu shows the account and signs out', async () => {
  const { backend } = await put('session-expired');
  await part('own-menu').click();
  await expect.element(page.getByText('Extension 214 · fairwater.example')).toBeInTheDocument();
  await expect.element(page.getByText(/forgotten when the phone closes/)).toBeInTheDocument();
  await part('sign-out').click();
  expect(backend.sent).toEqual([{ do: 'signOut', account: account().id }]);
});

test('a notice is said, stays while looked at, and goes', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const { phone } = await put('notice');
    expect(phone.notices).toHaveLength(1);
    const toast = await vi.waitUntil(() => document.querySelector<HTMLElement>('[data-testid="toast"]'));
    expect(toast.textContent).toContain('No microphone can be used.');
    toast.dispatchEvent(new PointerEvent('pointerenter'));
    await tick();
    vi.advanceTimersByTime(60_000);
    expect(phone.notices).toHaveLength(1);
    toast.dispatchEvent(new PointerEvent('pointerleave'));
    await tick();
    vi.advanceTimersByTime(5_900);
    expect(phone.notices).toHaveLength(1);
    vi.advanceTimersByTime(200);
    expect(phone.notices).toHaveLength(0);
  } finally {
    vi.useRealTimers();
  }
});

test('a phone that did not start says why', async () => {
  const refuse = () => Promise.reject({ code: 'portInUse', detail: 'udp 5060', retryAfterS: null });
  const phone = new Phone({ send: refuse, picture: refuse, listen: async () => () => {} });
  await render(App, { phone });
  await phone.follow();
  await expect.element(part('problem')).toHaveAttribute('data-code', 'portInUse');
});
