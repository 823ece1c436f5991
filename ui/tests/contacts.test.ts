import { expect, test } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { account } from '../src/backend/samples';
import { markOf } from '../src/marking';
import { sameNumber } from '../src/numbers';
import { Portraits } from '../src/portraits.svelte';
import { part, put } from './stage';

const rows = () => [...document.querySelectorAll('[data-testid="contact"]')].map((row) => row.textContent?.trim());

test('contacts are listed, favourites under their own heading, with what they are doing', async () => {
  await put('contacts');
  await expect.element(page.getByRole('heading', { name: 'Favourites' })).toBeInTheDocument();
  await expect.poll(() => rows()[0]).toContain('Jonas Weller');
  expect(rows()[0]).toContain('Do not disturb');
  expect(rows()[2]).toContain('Ringing');
});

test('a filter and a text narrow the list', async () => {
  const { backend } = await put('contacts');
  await part('contacts-favorites').click();
  await expect.poll(rows).toHaveLength(2);
  await expect.element(page.getByRole('heading', { name: 'Favourites' })).not.toBeInTheDocument();
  await part('contacts-business').click();
  await expect.poll(() => rows()[0]).toContain('Owen Pritchard');
  await part('contacts-all').click();
  await part('find-contact').fill('mar');
  await expect.poll(rows).toHaveLength(1);
  await expect.poll(() => rows()[0]).toContain('Marta Oduya');
  await part('find-contact').fill('nobody at all');
  await expect.element(part('no-contacts')).toHaveTextContent('Nobody fits');
  expect(backend.sent).toEqual([]);
});

test('a contact is looked at, called and made a favourite', async () => {
  const { backend } = await put('contacts');
  await part('contact').nth(1).click();
  await expect.element(part('contact-detail')).toHaveTextContent('Prefers the mobile after five');
  await expect.element(part('presence')).toHaveTextContent('Available');
  await expect.element(page.getByRole('heading', { name: 'Calls with Marta' })).toBeInTheDocument();
  await part('favorite').click();
  await page.getByRole('button', { name: 'Call Work, +44 20 7946 0312' }).click();
  expect(backend.sent).toEqual([{ do: 'favorContact', id: 2, favorite: false }, { do: 'dial', account: null, target: '+44 20 7946 0312' }]);
});

test('whose phone rings can be helped, who is free be called', async () => {
  const { backend } = await put('contacts');
  await expect.element(part('lamps')).toHaveTextContent('Amélie Faure is ringing. 020 7946 0950');
  await part('pick-up').click();
  await part('lamps').getByTitle('Call Marta Oduya').click();
  expect(backend.sent).toEqual([{ do: 'pickUp', account: account().id, number: '240' }, { do: 'dial', account: null, target: '226' }]);
});

test('of ten thousand only those in sight are drawn and asked for', async () => {
  const { backend } = await put('contacts-many');
  await expect.poll(() => rows().length).toBeGreaterThan(5);
  expect(rows().length).toBeLessThan(60);
  expect(backend.asked).toHaveLength(1);
  document.querySelector('.scroll')!.scrollTop = 56 * 5_000;
  await expect.poll(() => rows().some((row) => row?.includes(' 5005'))).toBe(true);
  expect(rows().length).toBeLessThan(60);
  expect(backend.asked.length).toBeLessThan(6);
});

test('arrows go through the list from the field on', async () => {
  await put('contacts-many');
  await expect.poll(() => rows().length).toBeGreaterThan(5);
  await part('find-contact').click();
  for (let n = 0; n < 30; n++) await userEvent.keyboard('{ArrowDown}');
  await expect.poll(() => document.activeElement?.textContent).toMatch(/ 29/);
  await userEvent.keyboard('{ArrowUp}');
  await expect.poll(() => document.activeElement?.textContent).toMatch(/ 28/);
});

test('what changes is asked for anew, and the list stays in its place meanwhile', async () => {
  const { backend } = await put('contacts');
  await expect.poll(rows).toHaveLength(10);
  const all = backend.contacts!;
  backend.contacts = null;
  backend.emit({ what: 'contacts', view: { version: 2, count: 9, state: { is: 'fresh', at: Date.now() } } });
  await expect.poll(rows).toHaveLength(10);
  backend.contacts = all.slice(1);
  backend.emit({ what: 'contacts', view: { version: 3, count: 9, state: { is: 'fresh', at: Date.now() } } });
  await expect.poll(rows).toHaveLength(9);
});

test('a contact of one’s own is written; what the PBX does not take is said', async () => {
  const { backend } = await put('contacts');
  await part('new-contact').click();
  await part('save-contact').click();
  await expect.element(page.getByText('Type a name first.')).toBeInTheDocument();
  await part('contact-name').fill('Zoë Ito');
  await part('contact-number').fill('07700 900555');
  await part('save-contact').click();
  const sent = backend.sent.at(-1)!;
  expect(sent).toMatchObject({ do: 'saveContact', id: null, draft: { name: 'Zoë Ito', numbers: [{ kind: 'mobile', number: '07700 900555' }] } });
  const ask = 'ask' in sent ? sent.ask : 0;
  backend.emit({ what: 'contactSaved', ask, contact: null, problem: { code: 'contactInvalid', detail: null, retryAfterS: null } });
  await expect.element(part('problem')).toHaveTextContent('does not take this contact');
  await part('save-contact').click();
  const again = backend.sent.at(-1)!;
  backend.emit({ what: 'contactSaved', ask: 'ask' in again ? again.ask : 0, contact: 6, problem: null });
  await expect.element(part('contact-detail')).toHaveTextContent('Håkon Sollund');
});

test('one’s own contact is deleted only when asked twice', async () => {
  const { backend } = await put('contacts-own');
  await part('delete-contact').click();
  await userEvent.keyboard('{Escape}');
  expect(backend.sent).toEqual([]);
  await part('delete-contact').click();
  await part('delete-for-good').click();
  expect(backend.sent).toEqual([{ do: 'deleteContact', id: 6 }]);
});

test('the field finds contacts by name and number, and calls the number that was found', async () => {
  const { backend } = await put('find-contacts');
  await expect.poll(() => document.querySelectorAll('[data-testid="hit"]').length).toBe(3);
  await part('find').fill('mar');
  await expect.element(part('hit')).toHaveTextContent('Marta Oduya');
  await expect.element(page.getByRole('listbox').getByRole('option', { selected: true })).toHaveTextContent('Marta Oduya');
  await userEvent.keyboard('{Enter}');
  expect(backend.sent).toEqual([{ do: 'dial', account: null, target: '226' }]);
});

test('contacts that may be outdated say so', async () => {
  await put('contacts-stale');
  await expect.element(part('contacts-stale')).toHaveTextContent('The server does not answer.');
});

test('what was typed is marked without accents and in any notation', () => {
  const marked = (text: string, typed: string) => {
    const mark = markOf(text, typed);
    return mark && text.slice(...mark);
  };
  expect(marked('Zoë Müller', 'muller')).toBe('Müller');
  expect(marked('Marta Oduya', 'mar od')).toBe('Mar');
  expect(marked('+44 20 7946 0312', '020 7946')).toBe('20 7946');
  expect(marked('020 7946 0177', '0207946')).toBe('020 7946');
  expect(marked('07700 900 312', '900312')).toBe('900 312');
  expect(marked('Ann', 'bob')).toBe(null);
  expect(marked('Ann', ' ')).toBe(null);
});

test('a number is the same in every notation', () => {
  for (const [a, b] of [['+44 20 7946 0312', '020 7946 0312'], ['+44 (0)20 7946 0312', '00442079460312'], ['102', '102'], ['07700 900 312', '07700900312']] as const) {
    expect(sameNumber(a, b), `${a} ${b}`).toBe(true);
  }
  for (const [a, b] of [['102', '2102'], ['', ''], ['97', '*97'], ['+44 20 7946 0312', '+44 20 7946 0313']] as const) {
    expect(sameNumber(a, b), `${a} ${b}`).toBe(false);
  }
});

test('who has a portrait is drawn with it, the others in letters', async () => {
  await put('contacts');
  const avatar = (name: string) => [...document.querySelectorAll('[data-testid="contact"]')].find((row) => row.textContent?.includes(name))?.querySelector('.av');
  await expect.poll(() => avatar('Marta Oduya')?.querySelector('img')?.naturalWidth).toBeGreaterThan(0);
  expect(avatar('Marta Oduya')?.textContent?.trim()).toBe('');
  expect(avatar('Ingrid Sollund')?.querySelector('img')).toBeNull();
  expect(avatar('Ingrid Sollund')?.textContent?.trim()).toBe('IS');
  expect(avatar('Marta Oduya')?.getBoundingClientRect().width).toBe(avatar('Ingrid Sollund')?.getBoundingClientRect().width);
  await part('contact').nth(1).click();
  await expect.poll(() => document.querySelector('[data-testid="contact-detail"] .av img')).not.toBeNull();
});

test('a portrait is asked for once, those that could not be had again with the next contacts', () => {
  const asked: string[] = [];
  const portraits = new Portraits((command) => command.do === 'askPortrait' && asked.push(command.reference));
  for (const reference of ['a', 'a', 'b', null]) portraits.want('nora', reference);
  expect(asked).toEqual(['a', 'b']);
  portraits.fold({ what: 'portrait', account: 'nora', reference: 'a', portrait: 'data:,a' });
  portraits.fold({ what: 'portrait', account: 'nora', reference: 'b', portrait: null });
  expect([portraits.of('nora', 'a'), portraits.of('nora', 'b'), portraits.of('leo', 'a')]).toEqual(['data:,a', null, null]);
  portraits.want('nora', 'b');
  expect(asked).toEqual(['a', 'b']);
  portraits.again();
  for (const reference of ['a', 'b']) portraits.want('nora', reference);
  expect(asked).toEqual(['a', 'b', 'b']);
  for (let n = 0; n < 500; n += 1) portraits.fold({ what: 'portrait', account: 'nora', reference: `${n}`, portrait: 'data:,' });
  expect([portraits.of('nora', 'a'), portraits.of('nora', '0')]).toEqual([null, 'data:,']);
});
