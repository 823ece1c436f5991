// What is said of where the PBX sends calls.
import type { ForwardDoes, ForwardWhen } from '../backend/backend';

export const forwarding = {
  title: 'Call forwarding',
  lead: 'Your PBX follows these rules for all of your phones, also when this one is off.',
  hours: 'When',
  office: 'In office hours',
  outside: 'Outside office hours',
  states: { available: 'You are available', busy: 'You are in a call', doNotDisturb: 'Do not disturb', away: 'You are away', lunch: 'You are at lunch', businessTrip: 'You are on a business trip', offline: 'No phone is connected', noAnswer: 'Nobody answers', noAnswerBusy: 'Nobody answers during a call' } satisfies Record<ForwardWhen, string> as Record<ForwardWhen, string>,
  does: { ring: 'Ring', voicemail: 'Send to voicemail', number: 'Send to a number', hangUp: 'Turn away' } satisfies Record<ForwardDoes, string> as Record<ForwardDoes, string>,
  unset: 'Not set',
  number: (when: string) => `Number for “${when}”`,
  numberLabel: 'Number',
  after: 'Ring for',
  seconds: (n: number) => `${n} seconds`,
  unanswered: 'If nobody answers',
  saving: 'Saving…',
};
