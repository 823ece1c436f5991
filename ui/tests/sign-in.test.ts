import { expect, test } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { smallPbx } from '../src/backend/small-pbx';
import { begin, focused, part, put } from './stage';

test('signs in and calls with nothing but the keyboard', async () => {
  const { backend } = await begin(smallPbx(20));
  await expect.poll(focused).toBe('domain');
  await expect.element(part('next')).toBeDisabled();
  await userEvent.keyboard('fairwater.example{Tab}pbx.fairwater.example{Enter}');

  await expect.poll(focused).toBe('username');
  await expect.element(part('sign-in')).toBeDisabled();
  await userEvent.keyboard('nora.lindqvist{Tab}wrong{Enter}');
  await expect.element(part('problem')).toHaveAttribute('data-code', 'wrongCredentials');
  await expect.poll(focused).toBe('password');
  await userEvent.keyboard('correct horse{Enter}');

  await expect.poll(focused).toBe('sip-password');
  await userEvent.keyboard('s3cret{Enter}');
  await expect.element(part('account-state')).toHaveTextContent('Registered · UDP');

  await userEvent.keyboard('{Control>}k{/Control}');
  await expect.poll(focused).toBe('find');
  await userEvent.keyboard('9196{Enter}');
  await expect.element(part('call-timer')).toHaveTextContent(/^00:0\d$/);
  await userEvent.keyboard('m');
  await expect.element(part('mute')).toHaveAttribute('aria-pressed', 'true');
  await userEvent.keyboard('k4#');
  await expect.element(part('keypad')).toHaveAttribute('aria-pressed', 'true');
  await userEvent.keyboard('{Escape}');
  await expect.poll(focused).toBe('keypad');
  await userEvent.keyboard('{Control>}{Shift>}E{/Shift}{/Control}');
  await expect.element(part('call-state')).toHaveTextContent('You hung up');

  expect(backend.sent.map((command) => command.do)).toEqual([
    'findServer', 'signIn', 'signIn', 'giveSipPassword', 'dial', 'mute', 'sendDigits', 'sendDigits', 'hangUp',
  ]);
  expect(backend.sent).toContainEqual({ do: 'dial', account: null, target: '9196' });
});

test('a certificate is refused by Esc and trusted only on purpose', async () => {
  const { backend } = await begin(smallPbx(20));
  await expect.poll(focused).toBe('domain');
  await userEvent.keyboard('fairwater.example{Tab}new.fairwater.example{Enter}');
  await expect.poll(focused).toBe('go-back');
  await expect.element(part('fingerprint')).toHaveTextContent(/^3F A9 0C/);
  await userEvent.keyboard('{Escape}');
  await expect.element(part('go-back')).not.toBeInTheDocument();
  await expect.element(part('problem')).toHaveAttribute('data-code', 'certificateUntrusted');

  await part('next').click();
  await expect.poll(focused).toBe('go-back');
  await part('trust').click();
  await expect.element(part('username')).toBeInTheDocument();
  expect(backend.sent.map((command) => command.do)).toEqual(['findServer', 'back', 'findServer', 'trustCertificate']);
  expect(backend.sent.at(-1)).toMatchObject({ fingerprint: expect.stringMatching(/^3fa90c[0-9a-f]{58}$/) });
});

test('a problem stands at its field until the field changes', async () => {
  await put('domain-error');
  await expect.poll(focused).toBe('domain');
  await expect.element(part('domain')).toHaveAttribute('aria-invalid', 'true');
  await expect.element(part('server')).not.toHaveAttribute('aria-invalid');
  await expect.element(part('domain')).toHaveAccessibleDescription(/does not know the domain.*Check the spelling/);
  await userEvent.keyboard('x');
  await expect.element(part('domain')).not.toHaveAttribute('aria-invalid');
});

test('while a step runs its button shows it and cannot be pressed again', async () => {
  const { backend } = await put('server-busy');
  await expect.element(part('next')).toHaveAttribute('aria-busy', 'true');
  await part('next').click();
  await userEvent.keyboard('{Enter}');
  expect(backend.sent).toEqual([]);
});

test('an earlier domain is chosen from the list', async () => {
  await put('server-earlier');
  await page.getByRole('button', { name: 'Earlier domains' }).click();
  await page.getByRole('menuitem', { name: 'harbour.example' }).click();
  await expect.element(part('domain')).toHaveValue('harbour.example');
});

test('the password can be seen and hidden again', async () => {
  await put('user');
  await expect.element(part('password')).toHaveAttribute('type', 'password');
  await page.getByRole('button', { name: 'Show password' }).click();
  await expect.element(part('password')).toHaveAttribute('type', 'text');
});

test('the extension password says where it is written and what is wrong with it', async () => {
  await put('sip-password');
  await expect.poll(focused).toBe('sip-password');
  await expect.element(part('sip-password')).toHaveAccessibleDescription(/welcome e-mail.*keychain/);
  await expect.element(part('problem')).not.toBeInTheDocument();
});

test('going back is one press', async () => {
  const { backend } = await put('user');
  await page.getByRole('button', { name: 'Back' }).click();
  expect(backend.sent).toEqual([{ do: 'back' }]);
});
