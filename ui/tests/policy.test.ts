import { expect, test } from 'vitest';
import { lockedOn } from '../src/screens/settings/pages';
import { en } from '../src/words/en';
import { complaints } from './axe';
import { part, put } from './stage';

const pages = ['accounts', 'calls', 'audio', 'voice', 'codecs', 'appearance', 'keyboard', 'desktop', 'network', 'certificates', 'check', 'about'] as const;

test('each page of the settings says at its top what of it is settled, and no other page does', async () => {
  await put('settings-policy');
  const said: Record<string, string> = { accounts: 'server, encryption of calls', calls: 'recording', codecs: 'codecs', network: 'web proxy', certificates: 'certificates' };
  for (const page of pages) {
    await part(`settings-${page}`).click();
    if (said[page]) await expect.element(part('policy-locked')).toHaveTextContent(`Fairwater Instruments has settled this: ${said[page]}.`);
    else await expect.element(part('policy-locked')).not.toBeInTheDocument();
  }
  await part('settings-calls').click();
  expect(await complaints()).toEqual([]);
});

test('every key of the policy is about one page', () => {
  const keys = Object.keys(en.policy.keys);
  expect(pages.flatMap((page) => lockedOn(page, keys)).sort()).toEqual(keys.sort());
});
