// What is said after a crash.
export const restart = { said: 'The phone had to restart after a fault.', see: 'See the report', dismiss: 'Dismiss' };
