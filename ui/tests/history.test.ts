import { expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { account, pastCalls } from '../src/backend/samples';
import { scenes } from '../src/backend/scenes';
import { Phone } from '../src/phone.svelte';
import { dayName } from '../src/words/format';
import { part, put } from './stage';

const silent = { send: async () => {}, listen: async () => () => {} };

test('calls of earlier runs are listed by day and opened', async () => {
  const { backend } = await put('history');
  await expect.element(page.getByRole('heading', { name: 'Yesterday' })).toBeInTheDocument();
  await expect.element(part('calls-count')).toHaveTextContent('2 missed calls');
  await page.getByRole('button', { name: /^Amélie Faure/ }).click();
  await expect.element(part('call-state')).toHaveTextContent('Busy');
  await part('call-again').click();
  expect(backend.sent).toEqual([{ do: 'dial', account: null, target: '020 7946 0177' }]);
});

test('missed calls count until somebody looks at them', async () => {
  const { backend, phone } = await put('history');
  await part('show-missed').click();
  await expect.element(page.getByText('Jonas Weller')).not.toBeInTheDocument();
  expect(backend.sent).toEqual([{ do: 'seeCalls', upTo: 8 }]);
  for (const view of pastCalls().calls) backend.emit({ what: 'past', view: { ...view, seen: true } });
  await expect.element(part('calls-count')).not.toBeInTheDocument();
  expect(phone.unseen).toEqual([]);
});

test('what a call was like is told in words, with the figures behind them', async () => {
  await put('history');
  await expect.element(part('summary')).toHaveTextContent('A little choppy');
  await expect.element(part('summary')).toHaveTextContent(/Parts of what Marta Oduya says are lost on the way\. ?at 03:04, for 00:31/);
  await page.getByText('Figures').click();
  await expect.element(page.getByText('3.8, at worst 2.1')).toBeVisible();
});

test('one call is deleted, or all of them after a question', async () => {
  const { backend, phone } = await put('history');
  await part('forget-call').click();
  expect(backend.sent).toEqual([{ do: 'forgetCall', id: 9 }]);
  backend.emit({ what: 'pastGone', id: 9 });
  await expect.poll(() => phone.listed[0]!.past!.id).toBe(8);
  await part('settings').click();
  await part('settings-privacy').click();
  await part('forget-all').click();
  await part('forget-all-keep').click();
  expect(backend.sent).toHaveLength(1);
  await part('forget-all').click();
  await part('forget-all-confirm').click();
  expect(backend.sent.at(-1)).toEqual({ do: 'forgetAllCalls' });
  backend.emit({ what: 'history', view: { calls: [], earlier: false, problem: null } });
  await expect.element(part('forget-all')).toBeDisabled();
});

test('earlier calls are asked for, and damage is said', async () => {
  const { backend, phone } = await put('history-earlier');
  await expect.element(part('history-problem')).toHaveTextContent('The call list was damaged; a new one was begun.');
  await part('earlier-calls').click();
  expect(backend.sent).toEqual([{ do: 'earlierCalls', before: 1 }]);
  backend.emit({ what: 'earlierCalls', calls: [{ ...pastCalls().calls[8]!, id: 0, began: 0 }], earlier: false });
  await expect.element(part('earlier-calls')).not.toBeInTheDocument();
  expect(phone.listed.at(-1)!.since).toBe(0);
});

test('a long list is drawn as far as one scrolls', async () => {
  const { backend } = await put('history');
  const model = pastCalls().calls[0]!;
  const calls = Array.from({ length: 150 }, (_, n) => ({ ...model, id: 1000 - n, began: model.began - n * 3_600_000 }));
  backend.emit({ what: 'history', view: { calls, earlier: true, problem: null } });
  const drawn = () => document.querySelectorAll('li.item').length;
  await expect.poll(drawn).toBe(30);
  await expect.element(part('earlier-calls')).not.toBeInTheDocument();
  const scroller = document.querySelector('li.item')!.closest('.scroll')!;
  const down = () => {
    scroller.scrollTop = scroller.scrollHeight;
    return drawn();
  };
  await expect.poll(down).toBe(150);
  await expect.element(part('earlier-calls')).toBeInTheDocument();
  scroller.scrollTop = 0;
  await expect.poll(drawn).toBe(30);
});

test('a call that ends here is listed once, keeps its place, and goes when it is deleted', async () => {
  const picture = { ...scenes['active-call']().picture };
  const phone = new Phone({ ...silent, picture: async () => picture });
  await phone.follow();
  const view = phone.calls[0]!.view;
  phone.fold({ what: 'call', view: { ...view, state: { is: 'ended', end: { reason: 'hungUpThere', status: null, lastedS: 9 } } } });
  phone.fold({ what: 'past', view: { ...pastCalls().calls[0]!, call: view.id } });
  expect(phone.listed.map((call) => [call.view.id, call.past?.id])).toEqual([[view.id, 9]]);
  phone.fold({ what: 'pastGone', id: 9 });
  expect(phone.listed).toEqual([]);
});

test('calls of accounts that are not here are not shown', async () => {
  const phone = new Phone({ ...silent, picture: async () => ({ ...scenes.history().picture, accounts: [] }) });
  await phone.follow();
  expect(phone.listed).toEqual([]);
  phone.fold({ what: 'account', view: account() });
  expect(phone.listed).toHaveLength(9);
});

test('days have their names', () => {
  const today = new Date(2026, 2, 30).getTime();
  expect(dayName(today, today)).toBe('Today');
  // The night between had an hour less, in some places.
  expect(dayName(new Date(2026, 2, 29).getTime(), today)).toBe('Yesterday');
  expect(dayName(new Date(2026, 0, 5).getTime(), today)).toMatch(/Monday/);
  expect(dayName(new Date(2025, 0, 5).getTime(), today)).toMatch(/2025/);
});

test('what another phone made or took says so', async () => {
  const { backend } = await put('history-elsewhere');
  await expect.element(page.getByRole('button', { name: /^Tomás Leal.*Made on another phone · 05:41/ })).toBeInTheDocument();
  await expect.element(page.getByRole('button', { name: /^Jonas Weller.*Answered on another of your phones · 01:36/ })).toBeInTheDocument();
  await page.getByRole('button', { name: /^Tomás Leal.*Made on another/ }).click();
  await expect.element(part('made-elsewhere')).toBeVisible();
  await page.getByRole('navigation').getByRole('button', { name: /^Calls/ }).click();
  expect(backend.sent).toContainEqual({ do: 'askCallRecords' });
});
