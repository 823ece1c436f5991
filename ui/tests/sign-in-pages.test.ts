// What each page of the wizard shows and asks, in the scenes.
import { expect, test, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { scan, signIn } from '../src/backend/samples';
import { en } from '../src/words/en';
import { focused, part, put } from './stage';

const none = (name: string) => expect.element(part(name)).not.toBeInTheDocument();

test('only the ways in the brand allows are offered', async () => {
  await put('server-hidden');
  await none('domain');
  await none('server');
  await none('other-sip');
  await expect.element(part('scan-open')).toHaveTextContent('Sign in with a QR code');
  await expect.poll(focused).toBe('next');
  await expect.element(page.getByText('At pbx.fairwater.example')).toBeInTheDocument();
});

test('what is settled goes with Next', async () => {
  const { backend } = await put('server-hidden');
  await expect.poll(focused).toBe('next');
  await userEvent.keyboard('{Enter}');
  expect(backend.sent).toEqual([{ do: 'findServer', domain: 'fairwater.example', server: 'pbx.fairwater.example' }]);
});

test('a problem with what is hidden is said all the same', async () => {
  await put('server-hidden-error');
  await expect.element(part('problem')).toHaveAttribute('data-code', 'serverSilent');
});

test('what is fixed is shown and cannot be typed into', async () => {
  await put('server-fixed');
  await expect.element(part('domain')).toHaveTextContent('fairwater.example');
  expect(document.querySelectorAll('input')).toHaveLength(0);
});

test('without passwords there is neither a form nor a forgotten one', async () => {
  const { backend } = await put('user-only-microsoft');
  for (const name of ['username', 'password', 'sign-in', 'forgot']) await none(name);
  await expect.poll(focused).toBe('microsoft');
  await userEvent.keyboard('{Enter}');
  expect(backend.sent).toEqual([{ do: 'signInWithMicrosoft' }]);
});

test('Microsoft 365 is offered only where the tenant has it', async () => {
  await put('user-no-microsoft');
  await none('microsoft');
  await expect.element(part('sign-in')).toBeInTheDocument();
});

test('no way in at all is said', async () => {
  await put('user-no-way');
  await expect.element(page.getByText(en.signIn.noWay)).toBeInTheDocument();
});

test('the button that was pressed shows that it works, and nothing else can be pressed', async () => {
  const { backend } = await put('user-microsoft-busy');
  await expect.element(part('microsoft')).toHaveAttribute('aria-busy', 'true');
  await part('microsoft').click();
  expect(backend.sent).toEqual([]);
});

test('another code may be asked for once the time has come', async () => {
  const { backend, phone } = await put('code');
  await expect.element(part('code-wait')).toHaveTextContent(/^Send again in 0:4[12]$/);
  await none('code-again');
  backend.emit({ what: 'signIn', view: { ...phone.signIn, code: { sent: true, againAt: Date.now() - 1 } } });
  await part('code-again').click();
  expect(backend.sent).toEqual([{ do: 'sendCodeAgain' }]);
  await expect.poll(focused).toBe('code');
});

test('news is said on its page', async () => {
  await put('code-news');
  await expect.element(part('news')).toHaveTextContent(en.signIn.news.codeSent);
});

test('a code of any length fits its field', async () => {
  const { backend } = await put('code');
  await expect.poll(focused).toBe('code');
  await userEvent.keyboard('eyJhbGciOi-K7 42_xQ{Enter}');
  expect(backend.sent).toEqual([{ do: 'giveCode', code: 'eyJhbGciOi-K7 42_xQ' }]);
});

test('the rules for a new password are ticked off while it is typed', async () => {
  await put('new-password');
  const rule = (words: string) => part('rules').getByText(words);
  await expect.element(rule('A digit')).toHaveTextContent('A digit, not met');
  await userEvent.keyboard('abc 7');
  await expect.element(rule('A digit')).toHaveTextContent('A digit, met');
  await expect.element(rule('No run such as 123 or abc')).toHaveTextContent(/not met$/);
  await expect.element(rule('8 to 32 characters')).toHaveTextContent(/not met$/);
});

test('the old password is asked for where it is needed, and marked where it is wrong', async () => {
  const { backend } = await put('new-password-old-wrong');
  await expect.poll(focused).toBe('old-password');
  await expect.element(part('old-password')).toHaveAttribute('aria-invalid', 'true');
  await expect.element(part('new-password')).not.toHaveAttribute('aria-invalid');
  await userEvent.keyboard('old one{Tab}{Tab}new one{Tab}{Tab}new one{Enter}');
  expect(backend.sent).toEqual([{ do: 'choosePassword', old: 'old one', new: 'new one' }]);
});

test('where no browser can be opened its address is there to be copied', async () => {
  await put('browser-none');
  await expect.element(part('problem')).toHaveAttribute('data-code', 'noBrowser');
  await expect.element(part('browser-address')).toHaveTextContent(/^https:\/\/login\.microsoftonline\.com\//);
  await expect.element(page.getByRole('button', { name: 'Copy address' })).toBeInTheDocument();
});

test('a camera that cannot be used says why and can be tried again; the other sources go on', async () => {
  const { backend } = await put('scan-camera-busy');
  await expect.element(part('problem')).toHaveAttribute('data-code', 'cameraBusy');
  await part('camera-again').click();
  await part('scan-clipboard').click();
  await part('scan-screen').click();
  expect(backend.sent).toEqual([{ do: 'useCamera', camera: 'video0' }, { do: 'readClipboard' }, { do: 'readScreen' }]);
});

test('what the camera saw is forgotten with its page', async () => {
  const { backend, phone } = await put('scan');
  await expect.element(part('scan-preview')).toBeInTheDocument();
  backend.emit({ what: 'signIn', view: signIn() });
  expect(phone.preview).toBeNull();
  backend.emit({ what: 'preview', picture: 'data:,late' });
  expect(phone.preview).toBeNull();
  backend.emit({ what: 'signIn', view: signIn({ page: 'scan', scan: scan() }) });
  await none('scan-preview');
});

test('a picture is read wherever it is dropped', async () => {
  const { backend } = await put('scan');
  const dropped = new DataTransfer();
  dropped.items.add(new File(['sheet'], 'sheet.png', { type: 'image/png' }));
  const drag = (type: string) => document.querySelector('h1')!.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: dropped }));
  expect(drag('dragover')).toBe(false);
  await expect.element(page.getByText(en.scan.drop)).toBeInTheDocument();
  expect(drag('drop')).toBe(false);
  await expect.poll(() => backend.sent).toEqual([{ do: 'readPicture', picture: btoa('sheet') }]);
  await expect.element(page.getByText(en.scan.drop)).not.toBeInTheDocument();
});

test('a picture is read when it is pasted; anything else the phone looks at itself', async () => {
  const { backend } = await put('scan');
  const paste = (data: DataTransfer) => window.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, cancelable: true }));
  const picture = new DataTransfer();
  picture.items.add(new File(['copied'], 'image.png', { type: 'image/png' }));
  paste(picture);
  await vi.waitUntil(() => backend.sent.length === 1);
  paste(new DataTransfer());
  expect(backend.sent).toEqual([{ do: 'readPicture', picture: btoa('copied') }, { do: 'readClipboard' }]);
});

test('a file that is far too large is not even sent', async () => {
  const { backend } = await put('scan');
  const dropped = new DataTransfer();
  dropped.items.add(new File([new Uint8Array(16 * 1024 * 1024 + 1)], 'huge.png'));
  window.dispatchEvent(new DragEvent('drop', { cancelable: true, dataTransfer: dropped }));
  await expect.element(part('scan-unread')).toHaveTextContent(/larger than 16 MiB/);
  expect(backend.sent).toEqual([]);
});

test('while a code signs in, nothing else is read', async () => {
  const { backend } = await put('scan-busy');
  await expect.element(part('scan-state')).toHaveTextContent(en.scan.signingIn);
  await expect.element(part('camera')).toBeDisabled();
  await none('scan-preview');
  await part('scan-clipboard').click();
  expect(backend.sent).toEqual([]);
});

test('a plain account may have another name and another user for its password', async () => {
  const { backend } = await put('sip');
  await part('sip-user').fill(' 31 ');
  await part('sip-account-password').fill(' s3cret ');
  await part('sip-domain').fill('harbour.example');
  await part('sip-proxy').fill('198.51.100.7');
  await page.getByText('More').click();
  await part('sip-display-name').fill('Nora');
  await part('sip-auth-user').fill('nora31');
  await part('sip-sign-in').click();
  expect(backend.sent).toEqual([{
    do: 'useSipAccount',
    account: { user: '31', password: ' s3cret ', domain: 'harbour.example', proxy: '198.51.100.7', transport: 'udp', displayName: 'Nora', authUser: 'nora31', keep: true },
  }]);
});

test('the phone can be returned to from the first page', async () => {
  const { backend } = await put('server-add');
  await page.getByRole('button', { name: 'Back' }).click();
  expect(backend.sent).toEqual([{ do: 'back' }]);
});

test('a code that could not be sent is not said to be on its way', async () => {
  const { backend } = await put('code-not-sent');
  await expect.element(page.getByText(en.codes.secondFactorNeeded.what)).toBeInTheDocument();
  await expect.element(part('problem')).toHaveAttribute('data-code', 'serverFailed');
  await part('code-again').click();
  expect(backend.sent).toEqual([{ do: 'sendCodeAgain' }]);
});
