// Every way in, walked with nothing but the keyboard against the small scripted PBX.
import { expect, test, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import type { Scripted } from '../src/backend/scripted';
import { smallPbx } from '../src/backend/small-pbx';
import { begin, focused, part } from './stage';

const done = (backend: Scripted) => backend.sent.map((command) => command.do);
const registered = () => expect.element(part('account-state')).toHaveTextContent(/^Registered/);

/** Walks to the page for the user's name. */
async function toUser(): Promise<Scripted> {
  const { backend } = await begin(smallPbx(20));
  await expect.poll(focused).toBe('domain');
  await userEvent.keyboard('fairwater.example{Tab}pbx.fairwater.example{Enter}');
  await expect.poll(focused).toBe('username');
  return backend;
}

/** Tab until the part of this name has the focus. */
async function tabTo(name: string): Promise<void> {
  for (let presses = 0; presses < 20 && focused() !== name; presses++) await userEvent.keyboard('{Tab}');
  expect(focused()).toBe(name);
}

test('by an e-mailed code, pasted with blanks around it', async () => {
  const backend = await toUser();
  await userEvent.keyboard('carol{Tab}correct horse{Enter}');
  await expect.poll(focused).toBe('code');
  await expect.element(part('code')).toHaveAttribute('autocomplete', 'one-time-code');
  await expect.element(part('code-continue')).toBeDisabled();
  await userEvent.keyboard('111{Enter}');
  await expect.element(part('problem')).toHaveAttribute('data-code', 'secondFactorWrong');
  await expect.poll(() => (document.activeElement as HTMLInputElement).selectionEnd).toBe(3);
  await userEvent.keyboard('  482013 {Enter}');
  await expect.poll(focused).toBe('sip-password');
  await userEvent.keyboard('s3cret{Enter}');
  await registered();
  expect(done(backend)).toEqual(['findServer', 'signIn', 'giveCode', 'giveCode', 'giveSipPassword']);
  expect(backend.sent[3]).toEqual({ do: 'giveCode', code: '482013' });
});

test('by a password that must be changed first', async () => {
  const backend = await toUser();
  await userEvent.keyboard('dave{Tab}correct horse{Enter}');
  await expect.poll(focused).toBe('new-password');
  await userEvent.keyboard('short{Tab}{Tab}');
  expect(focused()).toBe('repeat-password');
  await userEvent.keyboard('shart{Enter}');
  await expect.element(part('repeat-password')).toHaveAccessibleDescription(/not the same/);
  expect(focused()).toBe('repeat-password');
  await userEvent.keyboard('short{Enter}');
  await expect.element(part('problem')).toHaveAttribute('data-code', 'newPasswordRefused');
  await expect.poll(focused).toBe('new-password');
  await userEvent.keyboard('long enough 7{Tab}{Tab}{Control>}a{/Control}long enough 7{Enter}');
  await expect.poll(focused).toBe('sip-password');
  expect(done(backend)).toEqual(['findServer', 'signIn', 'choosePassword', 'choosePassword']);
  expect(backend.sent[3]).toEqual({ do: 'choosePassword', old: null, new: 'long enough 7' });
});

test('by a link for a forgotten password', async () => {
  const backend = await toUser();
  await tabTo('forgot');
  await userEvent.keyboard('{Enter}');
  await expect.poll(focused).toBe('reset-username');
  await userEvent.keyboard('nora.lindqvist{Enter}');
  await expect.poll(focused).toBe('reset-link');
  await userEvent.keyboard('rubbish{Enter}');
  await expect.element(part('problem')).toHaveAttribute('data-code', 'resetLinkInvalid');
  await userEvent.keyboard('{Control>}a{/Control} https://pbx.fairwater.example/reset?token=abc {Enter}');
  await expect.poll(focused).toBe('new-password');
  await userEvent.keyboard('long enough 7{Tab}{Tab}long enough 7{Enter}');
  await expect.element(part('news')).toHaveTextContent(/new password stands/);
  await expect.poll(focused).toBe('password');
  expect(backend.sent.slice(1)).toEqual([
    { do: 'forgotPassword' }, { do: 'askForReset', username: 'nora.lindqvist' }, { do: 'giveResetLink', link: 'rubbish' },
    { do: 'giveResetLink', link: 'https://pbx.fairwater.example/reset?token=abc' }, { do: 'choosePassword', old: null, new: 'long enough 7' },
  ]);
});

test('by Microsoft 365, in the browser', async () => {
  const backend = await toUser();
  await tabTo('microsoft');
  await userEvent.keyboard('{Enter}');
  await expect.element(part('browser-again')).toBeInTheDocument();
  await tabTo('browser-again');
  await userEvent.keyboard('{Enter}');
  await registered();
  expect(done(backend)).toEqual(['findServer', 'signInWithMicrosoft', 'openBrowserAgain']);
});

test('away from the browser, by its own button', async () => {
  const backend = await toUser();
  await tabTo('microsoft');
  await userEvent.keyboard('{Enter}');
  await expect.element(part('browser-cancel')).toBeInTheDocument();
  await tabTo('browser-cancel');
  await userEvent.keyboard('{Enter}');
  await expect.poll(focused).toBe('username');
  expect(done(backend)).toEqual(['findServer', 'signInWithMicrosoft', 'back']);
});

test('by a QR code in a picture file', async () => {
  const { backend } = await begin(smallPbx(20));
  await tabTo('scan-open');
  await userEvent.keyboard('{Enter}');
  await expect.element(part('scan-state')).toHaveAttribute('data-state', 'looking');
  await tabTo('camera');
  await userEvent.selectOptions(part('camera'), 'video2');
  await expect.element(part('scan-preview')).toBeInTheDocument();
  await tabTo('scan-clipboard');
  await userEvent.keyboard('{Enter}');
  await expect.element(part('problem')).toHaveAttribute('data-code', 'clipboardEmpty');
  await tabTo('scan-screen');
  await userEvent.keyboard(' ');
  await expect.element(part('problem')).toHaveAttribute('data-code', 'noCodeFound');
  await userEvent.upload(part('scan-picture'), new File(['no picture at all'], 'code.png', { type: 'image/png' }));
  await registered();
  expect(backend.sent).toEqual([
    { do: 'scan' }, { do: 'useCamera', camera: 'video2' }, { do: 'readClipboard' }, { do: 'readScreen' },
    { do: 'readPicture', picture: btoa('no picture at all') },
  ]);
});

test('by a plain SIP account', async () => {
  const { backend } = await begin(smallPbx(20));
  await tabTo('other-sip');
  await userEvent.keyboard('{Enter}');
  await expect.poll(focused).toBe('sip-user');
  await userEvent.keyboard('31{Tab}s3cret');
  await tabTo('sip-domain');
  await userEvent.keyboard('harbour.example{Tab}198.51.100.7:5070');
  await userEvent.selectOptions(part('sip-transport'), 'tcp');
  await tabTo('sip-keep');
  await userEvent.keyboard(' ');
  await tabTo('sip-sign-in');
  await userEvent.keyboard('{Enter}');
  await expect.element(part('account-state')).toHaveTextContent('Registered · TCP');
  expect(backend.sent).toEqual([{ do: 'enterSipAccount' }, {
    do: 'useSipAccount',
    account: { user: '31', password: 's3cret', domain: 'harbour.example', proxy: '198.51.100.7:5070', transport: 'tcp', displayName: null, authUser: null, keep: false },
  }]);
});

test('with a second account beside the first, and out of both', async () => {
  const { backend, phone } = await begin(smallPbx(20));
  await tabTo('scan-open');
  await userEvent.keyboard('{Enter}');
  await userEvent.upload(part('scan-picture'), new File(['a'], 'a.png'));
  await registered();

  // Adding one begins at the wizard's first page, and can be left again.
  await part('settings').click();
  await part('add-account').click();
  await expect.element(part('domain')).toBeInTheDocument();
  await page.getByRole('button', { name: 'Back' }).click();
  await part('settings').click();
  await part('add-account').click();
  await part('other-sip').click();
  await expect.poll(focused).toBe('sip-user');
  await userEvent.keyboard('31{Tab}s3cret{Tab}{Tab}harbour.example{Tab}198.51.100.7{Enter}');
  await vi.waitUntil(() => phone.accounts.length === 2);
  await expect.element(part('account-31@harbour.example')).not.toBeInTheDocument();
  await registered();

  await part('settings').click();
  await part('sign-out-31@harbour.example').click();
  await part('sign-out-nora.lindqvist@fairwater.example').click();
  await expect.element(part('domain')).toBeInTheDocument();
  expect(done(backend)).toEqual(['scan', 'readPicture', 'addAccount', 'back', 'addAccount', 'enterSipAccount', 'useSipAccount', 'signOut', 'signOut']);
});
