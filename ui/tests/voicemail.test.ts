import { expect, test } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { OWN } from '../src/backend/samples';
import { voicemails } from '../src/backend/voicemail-scenes';
import { part, put } from './stage';

const rows = () => [...document.querySelectorAll('[data-testid="message"]')].map((row) => row.textContent?.trim());

test('messages are listed, the new ones first, and counted in the rail', async () => {
  await put('voicemail');
  await expect.element(part('voicemail-count')).toHaveTextContent('3 new messages');
  await expect.element(page.getByRole('heading', { name: '3 new' })).toBeInTheDocument();
  expect(rows()).toHaveLength(7);
  expect(rows()[0]).toContain('Priya Raman');
  expect(rows()[4]).toContain('Unknown caller');
});

test('a message is played, paused and sought by key', async () => {
  const { backend } = await put('voicemail');
  await part('play').click();
  expect(backend.sent).toEqual([{ do: 'play', sound: { is: 'voicemail', id: 7 }, fromMs: null }]);
  backend.emit({ what: 'player', view: { sound: { is: 'voicemail', id: 7 }, state: { is: 'playing' }, atMs: 0, lengthMs: 47_000, peaks: [1, 100] } });
  backend.emit({ what: 'playedTo', atMs: 12_400 });
  await expect.element(part('player')).toHaveTextContent('0:12 of 0:47');
  await part('play').click();
  part('seek').element().focus();
  await userEvent.keyboard('{ArrowRight}');
  expect(backend.sent.slice(1)).toEqual([{ do: 'pausePlaying' }, { do: 'play', sound: { is: 'voicemail', id: 7 }, fromMs: 13_000 }]);
});

test('a message is called back, saved and marked', async () => {
  const { backend } = await put('voicemail-one');
  await part('call-back').click();
  await part('save-sound').click();
  await part('mark').click();
  expect(backend.sent).toEqual([
    { do: 'dial', account: null, target: '020 7946 0177' }, { do: 'saveSound', sound: { is: 'voicemail', id: 7 } }, { do: 'markVoicemail', id: 7, heard: true },
  ]);
  backend.emit({ what: 'soundSaved', sound: { is: 'voicemail', id: 7 }, path: '/home/nora/x.wav' });
  await expect.element(page.getByText('Saved as /home/nora/x.wav')).toBeInTheDocument();
});

test('a deleted message can be had back', async () => {
  const { backend } = await put('voicemail-playing');
  await part('delete-message').click();
  expect(backend.sent).toEqual([{ do: 'closePlayer' }, { do: 'deleteVoicemail', id: 7 }]);
  backend.emit({ what: 'voicemails', view: { ...voicemails(), messages: voicemails().messages.slice(1) } });
  await expect.element(part('undo-toast')).toHaveTextContent('Message from Priya Raman deleted');
  await part('undo').click();
  expect(backend.sent.at(-1)).toEqual({ do: 'keepVoicemail', id: 7 });
  await expect.element(part('undo-toast')).not.toBeInTheDocument();
});

test('where the PBX lists no messages, the voicemail is called', async () => {
  const { backend } = await put('voicemail-call');
  await expect.element(part('voicemail-count')).toHaveTextContent('3 new messages');
  await part('ring-voicemail').click();
  expect(backend.sent).toEqual([{ do: 'callVoicemail', account: OWN }]);
});

test('what cannot be played can be saved, and a call goes first', async () => {
  const { backend } = await put('voicemail-unplayable');
  await expect.element(part('player')).toHaveTextContent('Save it, and play it with another program.');
  backend.emit({ what: 'player', view: { sound: { is: 'voicemail', id: 7 }, state: { is: 'failed', problem: { code: 'notNow', detail: null, retryAfterS: null } }, atMs: 0, lengthMs: 1, peaks: [] } });
  await expect.element(part('player')).toHaveTextContent('You are in a call.');
});

test('the PBX is asked anew when the messages are opened', async () => {
  const { backend } = await put('empty');
  await part('voicemail').click();
  expect(backend.sent).toEqual([{ do: 'askVoicemails' }]);
});

test('a greeting is recorded, heard and used, or the PBX’s own again', async () => {
  const { backend, phone } = await put('voicemail');
  await part('open-greeting').click();
  await expect.element(part('greeting')).toHaveTextContent('Callers hear it');
  await part('reset-greeting').click();
  await part('use-greeting').click();
  await part('hear-greeting').first().click();
  await part('record-greeting').click();
  expect(backend.sent).toEqual([
    { do: 'askGreetings' }, { do: 'useGreeting', id: 2, on: false }, { do: 'useGreeting', id: 1, on: true }, { do: 'play', sound: { is: 'greeting', id: 1 }, fromMs: null }, { do: 'recordGreeting' },
  ]);
  const now = phone.voicemail.greetings;
  backend.emit({ what: 'greetings', view: { ...now, draft: { is: 'recording', ms: 3_200, level: 40 } } });
  await expect.element(page.getByRole('timer')).toHaveTextContent('Recording · 0:03');
  await part('finish-greeting').click();
  backend.emit({ what: 'greetings', view: { ...now, draft: { is: 'ready', lengthMs: 3_400 } } });
  await part('play').click();
  await part('use-draft').click();
  expect(backend.sent.slice(5)).toEqual([{ do: 'finishGreeting' }, { do: 'play', sound: { is: 'draft' }, fromMs: null }, { do: 'useDraft', account: OWN }]);
});

test('a greeting is deleted only when asked twice', async () => {
  const { backend } = await put('greeting');
  await part('delete-greeting').first().click();
  await userEvent.keyboard('{Escape}');
  await part('delete-greeting').first().click();
  await part('delete-for-good').click();
  expect(backend.sent).toEqual([{ do: 'askGreetings' }, { do: 'deleteGreeting', id: 1 }]);
});
