// What is said of what is kept of calls, and of what others get to know.
import type { KeepCalls } from '../backend/backend';

export const privacy = {
  title: 'Privacy',
  keep: 'Keep calls',
  spans: { always: 'As long as there is room', year: 'One year', quarter: '90 days', month: '30 days' } satisfies Record<KeepCalls, string> as Record<KeepCalls, string>,
  keepTitle: (span: string) => `Keep calls for ${span.toLowerCase()} only?`,
  keepBody: 'Earlier calls are deleted from the list. This cannot be undone.',
  forget: 'Delete earlier calls',
  others: 'What others learn',
  screen: 'On this screen',
  names: 'Say who calls in notifications',
  namesHint: 'Without this they say only that there is a call.',
  contacts: 'Contacts',
  computer: 'Show the contacts of this computer',
  computerHint: 'They come out of its address book and stay here: neither your PBX nor your other phones get them.',
  computerLoading: 'Reading the address book…',
};
