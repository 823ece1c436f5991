// What can be found on each page of the settings, in the language in use.
import type { Words } from '../../words/en';
import type { SettingsPage } from './SettingsList.svelte';

/** Keys of the machine's policy that are about each page. */
const settled: Partial<Record<SettingsPage, (keyof Words['policy']['keys'])[]>> = {
  accounts: ['server', 'domain', 'ways', 'transport', 'srtp', 'proxy'],
  calls: ['recording'],
  codecs: ['codecs'],
  desktop: ['autostart'],
  network: ['web_proxy'],
  certificates: ['authorities', 'pins'],
  check: ['log'],
  about: ['updates'],
};

/** Those of `locked` that are about a page. */
export const lockedOn = (page: SettingsPage, locked: string[]) => (settled[page] ?? []).filter((key) => locked.includes(key));

/** Settings by their labels, as they always stand on the page. */
export function settingsOn(page: SettingsPage, { settings, forwarding, privacy, audio, hearBack, voice, appearance, keyboard, desktop, network, doctor, bundle, about }: Words): string[] {
  switch (page) {
    case 'accounts': return [settings.srtp, settings.connection.title, settings.addAccount];
    case 'calls': return [settings.doNotDisturb, settings.autoAnswer, settings.clickToDial, settings.digits, settings.recording, settings.recordAll, settings.folder, settings.notice];
    case 'privacy': return [settings.callList, privacy.keep, settings.forgetAll, settings.publish, privacy.names];
    case 'forwarding': return [...Object.values(forwarding.states), forwarding.unanswered];
    case 'audio': return [...Object.values(audio.roles), audio.tone, audio.volume, audio.everywhere, hearBack.title, hearBack.echoNumber];
    case 'voice': return [voice.echo, voice.gain, voice.highPass, voice.noise];
    case 'codecs': return [settings.leaveOutSilence];
    case 'appearance': return [appearance.theme, appearance.rows, appearance.language];
    case 'keyboard': return [keyboard.window, keyboard.call, desktop.keys];
    case 'desktop': return [desktop.autostart, desktop.closeToTray, desktop.stayAwake, desktop.hiddenWindow, desktop.incomingWindow, desktop.notifications, desktop.compactWindow, desktop.openLinks, desktop.dialLinks, desktop.pop];
    case 'network': return [network.webProxy];
    case 'check': return [doctor.title, bundle.title, bundle.shorten];
    case 'about': return [about.title];
    default: return [];
  }
}

/** What gives a setting its name on the page that is open. */
export function namedHere(setting: string): HTMLElement | undefined {
  const named = document.querySelectorAll<HTMLElement>('main :is(label, .word, h2, h3, button, summary)');
  return [...named].find((element) => element.textContent?.trim() === setting);
}
