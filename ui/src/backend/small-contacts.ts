// Contacts for the scenes, and a small answer to who is asked for among them.
import type { Command, ContactNumber, ContactView, HitView, PhoneEvent, WatchedView } from './backend';
import { OWN } from './samples';

const numbers = (extension: string | null, mobile = '', business = ''): ContactNumber[] => [
  ...(extension ? [{ kind: 'extension', number: extension } as const] : []),
  ...(mobile ? [{ kind: 'mobile', number: mobile } as const] : []),
  ...(business ? [{ kind: 'business', number: business } as const] : []),
];

const contact = (id: number, name: string, own: ContactNumber[], change: Partial<ContactView> = {}): ContactView => ({
  id, account: OWN, kind: 'extension', name, numbers: own, email: null, company: null, title: null, department: null, address: null, notes: null, picture: null, favorite: false, ...change,
});

/** Head and shoulders, in the place of what the phone would write. */
const drawn = (ground: string, person: string) =>
  `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 144 144"><path fill="${ground}" d="M0 0h144v144H0z"/><g fill="${person}"><circle cx="72" cy="57" r="27"/><circle cx="72" cy="143" r="51"/></g></svg>`)}`;
const portraits: Readonly<Record<string, string>> = { marta: drawn('#24506b', '#f2c99b'), kenji: drawn('#6b3a52', '#d8a47a'), priya: drawn('#2f5d3a', '#c98e62') };

/** A team, whom the company knows, and whom Nora knows; as the phone tells them, favourites first. */
export const people = (): ContactView[] => [
  contact(1, 'Jonas Weller', numbers('208', '07700 900 208'), { favorite: true, department: 'Workshop' }),
  contact(2, 'Marta Oduya', numbers('226', '07700 900 312', '+44 20 7946 0312'), {
    favorite: true, picture: 'marta', title: 'Head of Service', company: 'Fairwater Instruments', email: 'marta.oduya@fairwater.example', notes: 'Prefers the mobile after five. Escalations for the Leeds site go through her.',
  }),
  contact(3, 'Amélie Faure', numbers('240'), { department: 'Sales' }),
  contact(4, 'Beatrix Coyle', numbers('217'), { department: 'Sales' }),
  contact(5, 'Chidi Eze', numbers('244'), { department: 'Workshop' }),
  contact(6, 'Håkon Sollund', numbers(null, '07700 900 118'), { kind: 'personal', address: '1 High Street, Leeds', notes: 'Two gates: ask for the north one.' }),
  contact(7, 'Ingrid Sollund', numbers('222'), { department: 'Sales', picture: 'broken' }),
  contact(8, 'Kenji Morita', numbers('231'), { department: 'Service', picture: 'kenji' }),
  contact(9, 'Owen Pritchard', numbers(null, '', '020 7946 0820'), { kind: 'business', company: 'Harbour Freight' }),
  contact(10, 'Priya Raman', numbers(null, '', '020 7946 0177'), { kind: 'business', company: 'Harbour Freight', title: 'Dispatch' }),
];

/** Somebody out of this computer's address book. */
export const ofComputer = (): ContactView => contact(11, 'Yusuf Demir', numbers(null, '07700 900 733'), { kind: 'computer', account: '', company: 'Demir Roofing', notes: 'Call before eight.' });

/** What those of the team are doing. */
export const lamps = (): WatchedView[] => {
  const lamp = (number: string, name: string, change: Partial<WatchedView>): WatchedView => ({ account: OWN, number, name, lamp: null, presence: null, refused: false, ...change });
  return [
    lamp('226', 'Marta Oduya', { lamp: { is: 'idle' } }),
    lamp('208', 'Jonas Weller', { lamp: { is: 'idle' }, presence: { open: true, activity: 'doNotDisturb', note: null } }),
    lamp('240', 'Amélie Faure', { lamp: { is: 'ringing', by: { number: '020 7946 0950', name: null } } }),
    lamp('217', 'Beatrix Coyle', { presence: { open: true, activity: 'away', note: 'At lunch' } }),
    lamp('244', 'Chidi Eze', { presence: { open: false, activity: 'unknown', note: null } }),
    lamp('231', 'Kenji Morita', { lamp: { is: 'talking' } }),
  ];
};

/** What a phone with these contacts answers; nothing where it is not asked for any. */
export function answer(command: Command, all: ContactView[]): PhoneEvent | null {
  const sought = 'text' in command && typeof command.text === 'string' ? command.text.trim().toLocaleLowerCase() : '';
  const fits = (text: string | null) => text?.toLocaleLowerCase().split(' ').some((word) => word.startsWith(sought)) ?? false;
  const digits = sought.replace(/\D/g, '').replace(/^0+/, '');
  const dialled = (number: string) => digits !== '' && number.replace(/\D/g, '').includes(digits);
  if (command.do === 'findContacts') {
    const found = all.filter((one) => (command.filter === 'all' || (command.filter === 'favorites' ? one.favorite : command.filter === one.kind)) && (!sought || fits(one.name) || one.numbers.some(({ number }) => dialled(number))));
    const favorites = sought ? 0 : found.filter((one) => one.favorite).length;
    return { what: 'contactsFound', ask: command.ask, page: { from: command.from, total: found.length, favorites, contacts: found.slice(command.from, command.from + command.most) } };
  }
  if (command.do === 'askPortrait') return { what: 'portrait', account: command.account, reference: command.reference, portrait: portraits[command.reference] ?? null };
  if (command.do === 'search') {
    const hits = all.flatMap((one): HitView[] => {
      const number = one.numbers.find((own) => dialled(own.number)) ?? (sought && fits(one.name) ? one.numbers[0] : undefined);
      return number ? [{ contact: one.id, name: one.name, number: number.number, kind: number.kind, place: one.company, favorite: one.favorite, called: null, account: one.account, picture: one.picture }] : [];
    });
    return { what: 'found', ask: command.ask, hits: hits.slice(0, command.most) };
  }
  return null;
}
