// Accounts, certificates, and what the PBX settles for the window.
import { afterEach, expect, test } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import type { DesktopPreferences } from '../src/backend/backend';
import { account, plainCall } from '../src/backend/samples';
import { namedHere, settingsOn } from '../src/screens/settings/pages';
import { language, words } from '../src/words/index.svelte';
import { focused, part, put } from './stage';

afterEach(() => page.viewport(1100, 720));

test('every account says where it is, how it stands and where its secrets are', async () => {
  const { backend } = await put('settings-accounts-trouble');
  const first = part(`account-${account().id}`);
  await expect.element(first).toHaveTextContent(/pbx\.fairwater\.example.*Offline · password refused.*Copy it from your welcome e-mail.*Ended.*Only in memory/s);
  await expect.element(part('account-31@harbour.example')).toHaveTextContent(/198\.51\.100\.7:5070.*trying again in.*None; this account needs no PBX session.*keychain/s);
  await part(`session-again-${account().id}`).click();
  await part('reconnect-31@harbour.example').click();
  await part('sign-out-31@harbour.example').click();
  expect(backend.sent).toEqual([
    { do: 'signInAgain', account: account().id }, { do: 'reconnect', account: '31@harbour.example' }, { do: 'signOut', account: '31@harbour.example' },
  ]);
});

test('trust is withdrawn only when it is confirmed, and Esc keeps it', async () => {
  const { backend } = await put('settings-certificates');
  await expect.element(part('fingerprint').first()).toHaveTextContent(/^3F A9 0C/);
  await part('withdraw').first().click();
  await expect.poll(focused).toBe('withdraw-keep');
  await userEvent.keyboard('{Escape}');
  await expect.element(part('withdraw-confirm')).not.toBeInTheDocument();
  await part('withdraw').last().click();
  await expect.element(page.getByRole('alertdialog')).toHaveAccessibleName('Trust 192.0.2.10:8887 no longer?');
  await part('withdraw-confirm').click();
  expect(backend.sent).toEqual([{ do: 'withdrawTrust', server: '192.0.2.10:8887' }]);
  backend.emit({ what: 'trusted', trusted: [] });
  await expect.element(page.getByText('You trusted no certificate on purpose')).toBeInTheDocument();
});

test('the settings are reached and left by the keyboard, and give way to a call', async () => {
  const { backend } = await put('empty');
  (document.querySelector('[data-testid="settings"]') as HTMLElement).focus();
  await userEvent.keyboard('{Enter}');
  await expect.element(part(`account-${account().id}`)).toBeInTheDocument();
  (document.querySelector('[data-testid="settings-certificates"]') as HTMLElement).focus();
  await userEvent.keyboard('{Enter}');
  await expect.element(part(`account-${account().id}`)).not.toBeInTheDocument();
  backend.emit({ what: 'call', view: { id: 9, account: account().id, direction: 'outgoing', peer: { number: '231', name: null }, state: { is: 'calling' }, ...plainCall } });
  await expect.element(part('end')).toBeInTheDocument();
});

test('in a narrow window the settings are a list first', async () => {
  await page.viewport(360, 720);
  await put('empty');
  await part('settings').click();
  await expect.element(part('settings-accounts')).toBeVisible();
  await expect.element(part(`account-${account().id}`)).not.toBeVisible();
  await part('settings-accounts').click();
  await expect.element(part(`account-${account().id}`)).toBeVisible();
  await page.getByRole('button', { name: 'All settings' }).click();
  await expect.element(part('settings-accounts')).toBeVisible();
});

test('another account is added beside those there are', async () => {
  const { backend } = await put('settings-accounts');
  await part('add-account').click();
  expect(backend.sent).toEqual([{ do: 'addAccount' }]);
});

test('a session that has ended is said quietly, and the way back is one press', async () => {
  const { backend } = await put('session-expired');
  await expect.element(page.getByText('Calls go on as before.')).toBeInTheDocument();
  await expect.element(part('echo')).toBeEnabled();
  await part('session-again').click();
  await part('own-menu').click();
  await part('own-session-again').click();
  expect(backend.sent).toEqual([{ do: 'signInAgain', account: account().id }, { do: 'signInAgain', account: account().id }]);
});

test('calls are made with the account that was chosen', async () => {
  const { backend } = await put('find-call-as');
  await userEvent.selectOptions(part('call-as'), '31@harbour.example');
  await part('call-typed').click();
  expect(backend.sent).toEqual([{ do: 'dial', account: '31@harbour.example', target: '020 7946' }]);
});

test('of several accounts the first that can call does; a call is returned with its own', async () => {
  const { backend } = await put('two-accounts');
  await expect.element(part('account-state')).toHaveTextContent(/^Extension 31 · harbour\.example: Reconnecting/);
  await part('call-again').click();
  expect(backend.sent).toEqual([{ do: 'dial', account: account().id, target: '020 7946 0148' }]);
});

test('a call is not offered again on an account that is not connected', async () => {
  const { backend, phone } = await put('two-accounts');
  await expect.element(part('call-again')).toBeEnabled();
  const [first, second] = phone.accounts;
  backend.emit({ what: 'account', view: { ...first!, state: { is: 'registering' } } }, { what: 'account', view: { ...second!, state: account().state } });
  await expect.element(part('call-again')).toBeDisabled();
});

test('what the PBX settles holds as long as its account is there', async () => {
  const { backend } = await put('enforced');
  await expect.poll(() => document.documentElement.dataset.theme).toBe('dark');
  await expect.poll(() => document.documentElement.lang).toBe('de');
  await expect.element(part('calls')).toHaveTextContent('Anrufe');
  await expect.element(part('settings')).not.toBeInTheDocument();
  backend.emit({ what: 'account', view: account() });
  await expect.poll(() => document.documentElement.dataset.theme).toBeUndefined();
  await expect.poll(language).toBe('en');
  await expect.element(part('settings')).toBeInTheDocument();
  // A page that is taken away does not stay open.
  await part('settings').click();
  await expect.element(part(`account-${account().id}`)).toBeInTheDocument();
  backend.emit({ what: 'account', view: account(undefined, { enforced: { theme: null, language: null, hidden: ['settings'], codecs: false } }) });
  await expect.element(part(`account-${account().id}`)).not.toBeInTheDocument();
});

test('codecs are ordered by the keyboard, and one always stays', async () => {
  const { backend } = await put('settings-codecs');
  const order = () => [...document.querySelectorAll('[data-testid="codecs"] li')].map((row) => row.getAttribute('data-testid'));
  const last = () => (backend.sent.at(-1) as { preferences: { codecs: { name: string; used: boolean }[] } }).preferences.codecs;
  const answered = () => backend.emit({ what: 'callPreferences', preferences: { codecs: last() } });
  (document.querySelector('[data-testid="codec-up-PCMA"]') as HTMLElement).focus();
  await userEvent.keyboard('{Enter}');
  expect(last().map((codec) => codec.name)).toEqual(['opus', 'EVS', 'G722', 'PCMA', 'PCMU']);
  answered();
  await expect.poll(order).toEqual(['codec-opus', 'codec-G722', 'codec-PCMA', 'codec-PCMU']);
  await expect.poll(focused).toBe('codec-up-PCMA');
  await expect.element(part('codec-told')).toHaveTextContent('G.711 A-law: 3 of 4');
  for (const name of ['opus', 'G722', 'PCMU']) {
    await part(`codec-use-${name}`).click();
    answered();
  }
  expect(last().filter((codec) => codec.used).map((codec) => codec.name)).toEqual(['EVS', 'PCMA']);
  await expect.element(part('codec-use-PCMA')).toBeDisabled();
});

test('a codec is dragged to its place', async () => {
  const { backend } = await put('settings-codecs');
  await part('codec-PCMU').dropTo(part('codec-opus'));
  expect(backend.sent.at(-1)).toMatchObject({ do: 'preferInCalls', preferences: { codecs: [{ name: 'PCMU' }, { name: 'opus' }, { name: 'EVS' }, { name: 'G722' }, { name: 'PCMA' }] } });
});

test('where the PBX settles the codecs it says so', async () => {
  await put('settings-codecs-settled');
  await expect.element(page.getByText(`Your administrator has settled the codecs of ${account().id}.`)).toBeInTheDocument();
});

test('how calls are recorded is chosen, with what the other side hears of it', async () => {
  const { backend } = await put('settings-calls');
  await part('record-all').click();
  await part('record-notice').selectOptions('none');
  await part('record-folder').fill('/records');
  await part('record-folder').element().blur();
  expect(backend.sent.slice(-3)).toEqual([
    { do: 'preferInCalls', preferences: { recording: { automatic: true } } },
    { do: 'preferInCalls', preferences: { recording: { notice: { is: 'none' } } } },
    { do: 'preferInCalls', preferences: { recording: { folder: '/records' } } },
  ]);
});

test('devices are put in order by keyboard alone, and it is said which one is used and why', async () => {
  const { backend } = await put('settings-audio');
  await expect.element(part('in-use-speaker')).toHaveTextContent('Jabra Evolve2 65 – Office dock is not here');
  await expect.element(part('in-use-ringer')).toHaveTextContent('Laptop speakers – the system’s default');
  const speaker = part('devices-speaker');
  await expect.element(speaker).toHaveTextContent(/Office dock.*not here.*Jabra Evolve2 65.*System default \(Laptop speakers\)/s);
  (speaker.getByTestId('down').first().element() as HTMLElement).focus();
  await userEvent.keyboard('{Enter}');
  await speaker.getByTestId('prefer').last().click();
  await part('devices-microphone').getByTestId('remove').click();
  await part('ring-tone').selectOptions('peal');
  await part('ring-everywhere').click();
  expect(backend.sent).toEqual([
    { do: 'rankDevices', role: 'speaker', ids: ['usb:jabra/out', 'usb:dock'] },
    { do: 'rankDevices', role: 'speaker', ids: ['usb:dock', 'usb:jabra/out', 'hdmi'] },
    { do: 'rankDevices', role: 'microphone', ids: [] },
    { do: 'preferRing', ring: { tone: 'peal', volume: 80, everywhere: false } },
    { do: 'preferRing', ring: { tone: 'carillon', volume: 80, everywhere: true } },
  ]);
});

test('the servers that help a call through a router are kept for an account', async () => {
  const { backend } = await put('settings-connection');
  await page.getByText('Connection', { exact: true }).click();
  const { id } = account();
  await expect.element(part(`turn-${id}`)).toHaveValue('turn.fairwater.example');
  await part(`stun-${id}`).fill('192.0.2.7');
  await part(`ice-${id}`).selectOptions('on');
  await part(`turn-password-${id}`).fill('between us');
  await part(`connection-save-${id}`).click();
  expect(backend.sent).toEqual([{
    do: 'setConnection', account: id, turnPassword: 'between us',
    connection: { ice: 'on', stun: '192.0.2.7', turn: 'turn.fairwater.example', turnOver: 'tls', turnUser: 'nora' },
  }]);
  await expect.element(part(`turn-password-${id}`)).toHaveValue('');
});

test('an unplugged headset is told, and another device is one click away on the call', async () => {
  const { backend } = await put('device-changed');
  await expect.element(part('device-toast')).toHaveTextContent('Jabra Evolve2 65 unplugged – you now hear through Laptop speakers');
  await part('more').click();
  await part('use-speaker').filter({ hasText: 'Laptop speakers' }).click();
  expect(backend.sent).toEqual([{ do: 'useDevice', role: 'speaker', id: 'pci/out' }]);
});

test('one hears oneself back: level, playing, and what is to be said of it', async () => {
  const { backend } = await put('settings-audio');
  await part('hear-back-test').click();
  expect(backend.sent).toEqual([{ do: 'hearBack' }]);
  backend.emit({ what: 'hearBack', view: { is: 'recording', leftMs: 2_900, level: 60 } });
  await expect.element(part('hear-back')).toHaveTextContent('Recording · 3 s left');
  await expect.element(page.getByRole('meter', { name: 'Level of your microphone' })).toHaveAttribute('aria-valuenow', '60');
  backend.emit({ what: 'hearBack', view: { is: 'playing', leftMs: 1_000, level: 20, heard: 'clipped' } });
  await expect.element(part('hear-back')).toHaveTextContent('Playing · 1 s left');
  await part('hear-back-stop').click();
  expect(backend.sent.at(-1)).toEqual({ do: 'stopHearBack' });
  for (const [heard, what] of [['silent', 'Nothing was heard of you.'], ['tooQuiet', 'You are hardly heard.'], ['clipped', 'You are too loud'], ['good', 'Others hear you well.']] as const) {
    backend.emit({ what: 'hearBack', view: { is: 'done', heard } });
    await expect.element(part('hear-back-heard')).toHaveTextContent(what);
  }
});

test('during a call the hear-back test says that it is not possible', async () => {
  await put('active-call');
  await part('settings').click();
  await part('settings-audio').click();
  await expect.element(part('hear-back-busy')).toHaveTextContent('Not possible during a call');
  await expect.element(part('hear-back-test')).toBeDisabled();
  await expect.element(part('echo-call')).toBeDisabled();
});

test('the echo line is called, told of and chosen', async () => {
  const { backend } = await put('hear-back-quiet');
  await expect.element(part('echo-result')).toHaveTextContent('Last time: Clear both ways · 24 ms there and back, 46 ms buffer, 0.1 % lost');
  await part('echo-call').click();
  expect(backend.sent).toEqual([{ do: 'dial', account: null, target: '9196' }]);
  await part('settings').click();
  await part('settings-audio').click();
  await part('echo-number').fill('*43');
  await userEvent.tab();
  expect(backend.sent.at(-1)).toEqual({ do: 'preferInCalls', preferences: { codes: { echo: '*43' } } });
  backend.emit({ what: 'callPreferences', preferences: { codes: { echo: null } } });
  await expect.element(part('echo-call')).not.toBeInTheDocument();
});

test('dense rows are lower', async () => {
  const { backend, phone } = await put('history');
  const height = () => document.querySelector('[data-testid^="call-"], .open')!.getBoundingClientRect().height;
  const before = height();
  backend.emit({ what: 'desktop', preferences: { ...phone.desktop, appearance: { dense: true } } });
  await expect.poll(height).toBeLessThan(before - 8);
});

test.each(['accounts', 'calls', 'audio', 'voice', 'codecs', 'appearance', 'keyboard', 'desktop', 'certificates', 'check'] as const)('what is found on the page %s stands there', async (name) => {
  await put(`settings-${name}`);
  expect(settingsOn(name, words()).filter((label) => !namedHere(label))).toEqual([]);
});

test('a setting is found by what it is called, and gets the focus', async () => {
  await put('settings-accounts');
  await part('find-setting').fill('turb');
  await expect.element(part('found-setting')).toHaveTextContent('Do not disturb');
  await part('found-setting').click();
  await expect.poll(focused).toBe('prefer-dnd');
  await part('find-setting').fill('xyzzy');
  await expect.element(page.getByText('No setting is called so')).toBeInTheDocument();
});

test('theme and language are chosen, and hold at once', async () => {
  const { backend } = await put('settings-appearance');
  const said = () => (backend.sent.at(-1) as { preferences: DesktopPreferences }).preferences;
  const answered = () => backend.emit({ what: 'desktop', preferences: said() });
  await part('appearance-theme').selectOptions('dark');
  expect(said().appearance).toEqual({ theme: 'dark', language: null });
  answered();
  await expect.poll(() => document.documentElement.dataset.theme).toBe('dark');
  await part('appearance-language').selectOptions('日本語');
  answered();
  await expect.element(page.getByRole('heading', { name: '外観' })).toBeInTheDocument();
  expect(document.documentElement.lang).toBe('ja');
  await part('appearance-theme').selectOptions('システムに合わせる');
  answered();
  await expect.poll(() => document.documentElement.dataset.theme).toBeUndefined();
  await part('appearance-language').selectOptions('システムに合わせる');
  answered();
  await expect.poll(language).toBe('en');
  expect(said().appearance).toEqual({ theme: null, language: null });
});
