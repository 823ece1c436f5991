// The phone inside the desktop shell. The only file that knows of Tauri.
import { getCurrentWindow } from '@tauri-apps/api/window';
import type { Backend } from './backend';
import { commands, events } from './bindings';

export const tauri: Backend = {
  send: async (command) => void (await commands.send(command)),
  picture: () => commands.picture(),
  listen: (handler) => events.phoneEvent.listen((event) => handler(event.payload)),
  shell: {
    openMain: async () => void (await commands.openMain()),
    desktop: () => commands.desktop(),
    listen: (handler) => events.desktopView.listen((event) => handler(event.payload)),
  },
};

/** Which of the phone's windows this is. */
export const windowName = (): string => getCurrentWindow().label;
