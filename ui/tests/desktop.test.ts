import { tick } from 'svelte';
import { expect, test } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { plainCall } from '../src/backend/samples';
import { speak } from '../src/words/index.svelte';
import { languages } from '../src/words/languages';
import { part, put } from './stage';

test('a call that rings is answered, declined or sent to voicemail in its small window, by mouse and by key', async () => {
  const { backend } = await put('window-incoming');
  await expect.element(page.getByRole('alertdialog')).toHaveAccessibleName(/Ingrid Sollund/);
  await part('answer').click();
  await part('to-voicemail').click();
  await userEvent.keyboard('{Escape}');
  (document.activeElement as HTMLElement).blur();
  await userEvent.keyboard('{Enter}');
  await userEvent.keyboard('v');
  expect(backend.sent.map((command) => command.do)).toEqual(['answer', 'toVoicemail', 'decline', 'answer', 'toVoicemail']);
});

test('the small window has nothing to say once it rings no longer', async () => {
  const { backend } = await put('window-incoming');
  const { calls } = await backend.picture();
  backend.emit({ what: 'call', view: { ...calls[0]!, state: { is: 'active', since: Date.now() } } });
  await expect.element(part('answer')).not.toBeInTheDocument();
});

const sizes = [['window-incoming', 140], ['window-incoming-forwarded', 140], ['window-compact', 124], ['window-compact-held', 124]] as const;

test.each(sizes)('%s fits its small window in every language', async (scene, height) => {
  await page.viewport(360, height);
  try {
    await put(scene);
    for (const tongue of Object.keys(languages)) {
      await speak([tongue]);
      await tick();
      const { scrollWidth, scrollHeight } = document.documentElement;
      expect([scrollWidth, scrollHeight]).toEqual([360, height]);
      for (const button of document.querySelectorAll('button')) {
        const { bottom, right, height: tall } = button.getBoundingClientRect();
        expect(bottom <= height && right <= 360 && tall >= 40, `${tongue}: ${button.textContent} is cut off`).toBe(true);
      }
    }
  } finally {
    await speak(['en']);
    await page.viewport(1100, 720);
  }
});

test('the compact window mutes, holds, sends digits, hands on, ends, and opens the main one', async () => {
  const { backend } = await put('window-compact');
  await part('mute').click();
  await part('hold').click();
  await userEvent.keyboard('k7');
  await page.getByRole('button', { name: '#' }).click();
  await userEvent.keyboard('{Escape}');
  await part('transfer').click();
  await userEvent.keyboard('231{Enter}');
  await part('full-window').click();
  await part('end').click();
  expect(backend.sent).toEqual([
    { do: 'mute', call: 5, muted: true }, { do: 'hold', call: 5 }, { do: 'sendDigits', call: 5, digits: '7' }, { do: 'sendDigits', call: 5, digits: '#' },
    { do: 'transfer', call: 5, target: '231' }, { do: 'hangUp', call: 5 },
  ]);
  expect(backend.opened).toBe(1);
});

test('the compact window shows the call that talks, and says how many more there are', async () => {
  const { backend } = await put('window-compact-held');
  await expect.element(page.getByRole('heading')).toHaveTextContent('Marta Oduya');
  await expect.element(part('held')).toBeInTheDocument();
  const { calls } = await backend.picture();
  backend.emit({ what: 'call', view: { ...calls[0]!, ...plainCall, state: { is: 'active', since: Date.now() } } });
  await expect.element(page.getByRole('heading')).toHaveTextContent('Kenji Morita');
  await expect.element(page.getByText('and 1 more')).toBeInTheDocument();
});

test('a number out of a link is asked about, and may be allowed for good', async () => {
  const { backend } = await put('asked');
  await expect.element(page.getByText('Call +4930901820?')).toBeInTheDocument();
  await part('asked-always').click();
  await part('asked-dial').click();
  expect(backend.sent).toEqual([{ do: 'dialAsked', always: true }]);
  backend.emit({ what: 'asked', view: null });
  await expect.element(part('asked-dial')).not.toBeInTheDocument();
});

test('Escape calls nobody, and codes cannot be allowed for good', async () => {
  const { backend } = await put('asked-code');
  await expect.element(part('asked-dial')).toBeInTheDocument();
  await expect.element(part('asked-always')).not.toBeInTheDocument();
  await userEvent.keyboard('{Escape}');
  expect(backend.sent).toEqual([{ do: 'dropAsked' }]);
});

test('what waits for the phone to be connected is said, and can be dropped', async () => {
  const { backend } = await put('asked-waits');
  await part('asked-drop').click();
  expect(backend.sent).toEqual([{ do: 'dropAsked' }]);
});

test('every setting of the desktop is sent with all others', async () => {
  const { backend, phone } = await put('settings-desktop');
  const before = phone.desktop;
  await part('desktop-closeToTray').click();
  expect(backend.sent.at(-1)).toEqual({ do: 'preferDesktop', preferences: { ...before, closeToTray: false } });
  await part('desktop-hiddenWindow').selectOptions('keep');
  expect(backend.sent.at(-1)).toEqual({ do: 'preferDesktop', preferences: { ...before, hiddenWindow: 'keep' } });
});

test('keys that work everywhere are sent with all others', async () => {
  const { backend, phone } = await put('settings-keyboard');
  const before = phone.desktop;
  await part('key-mute').fill('Ctrl+Shift+F8');
  await userEvent.keyboard('{Tab}');
  expect(backend.sent.at(-1)).toEqual({ do: 'preferDesktop', preferences: { ...before, keys: { ...before.keys, mute: 'Ctrl+Shift+F8' } } });
});

test('a key that somebody else has is told', async () => {
  const { phone } = await put('settings-keyboard');
  phone.desk = { ...phone.desk, refusedKeys: ['Ctrl+Shift+F9'] };
  await expect.element(part('key-answer')).toHaveAttribute('aria-invalid', 'true');
});
