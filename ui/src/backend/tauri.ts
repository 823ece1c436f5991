// The phone inside the desktop shell. The only file that knows of Tauri.
import type { Backend } from './backend';
import { commands, events } from './bindings';

export const tauri: Backend = {
  send: async (command) => void (await commands.send(command)),
  picture: () => commands.picture(),
  listen: (handler) => events.phoneEvent.listen((event) => handler(event.payload)),
};
