// How the sound of a call is protected, said in a few words; the padlock is closed only where nobody on the way can listen.
import type { ProtectionView } from '../backend/backend';
import { words } from './index.svelte';

export function padlock(protection: ProtectionView): { closed: boolean; word: string; suite: string | null } {
  const say = words().call;
  switch (protection.is) {
    case 'none':
      return { closed: false, word: say.notEncrypted, suite: null };
    case 'pending':
      return { closed: false, word: say.encrypting, suite: protection.suite };
    case 'encrypted':
      return protection.keys === 'openSignalling'
        ? { closed: false, word: say.encryptedOpenly, suite: protection.suite }
        : { closed: true, word: say.encrypted, suite: protection.suite };
  }
}
