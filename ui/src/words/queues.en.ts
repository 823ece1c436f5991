// What is said of the queues that one serves.
import type { QueueChoice, QueueStanding } from '../backend/backend';

export const queues = {
  title: 'Queues',
  standing: { ready: 'Ready', paused: 'Paused', wrapUp: 'Wrapping up', inCall: 'In a call', loggedOut: 'Logged out', unknown: 'Not known' } satisfies Record<QueueStanding, string> as Record<QueueStanding, string>,
  choices: { ready: 'Ready for calls', paused: 'Pause', loggedOut: 'Log out' } satisfies Record<QueueChoice, string> as Record<QueueChoice, string>,
  saving: 'Saving…',
};
