// What is said of the diagnostic bundle.

export const bundle = {
  title: 'Diagnostic bundle',
  hint: 'All that support needs, as text: versions, settings, calls, SIP messages, log. Passwords and tokens are left out. Read it before you give it away.',
  shorten: 'Shorten phone numbers',
  make: 'Make it',
  again: 'Make it anew',
  text: 'The bundle',
  save: 'Save',
  copy: 'Copy the bundle',
  saved: (path: string) => `Saved as ${path}`,
  size: (lines: string) => `${lines} lines`,
};
