// What is said of the phone itself and of newer versions.

export const about = {
  title: 'About',
  version: (version: string) => `Version ${version}`,
  look: 'Look for a newer version',
  looking: 'Looking for a newer version…',
  current: 'This is the newest version.',
  unknown: 'Newer versions are looked for once a day.',
  off: 'Newer versions come from your administrator.',
  available: (version: string) => `Version ${version} is there.`,
  byOthers: 'Your administrator, or the place where you found it, has it.',
  whatIsNew: 'What is new',
  fetch: 'Get it',
  fetching: (percent: string) => `It is being fetched: ${percent}`,
  ready: (version: string) => `Version ${version} is ready to be installed.`,
  install: 'Install now',
  notInCall: 'It can be installed when your call is over.',
  installing: 'The installer has taken over. The phone may close.',
  replaced: 'The newer version is in place. It starts when you next start the phone.',
  later: 'Later',
};
