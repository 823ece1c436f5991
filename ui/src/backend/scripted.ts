// A phone without a phone: it shows the picture it is given and answers commands by a script.
import type { Backend, Command, ContactView, DesktopView, PhoneEvent, Picture, Shell } from './backend';
import { answer } from './small-contacts';

/** Answers a command, at once or later. */
export type Script = (command: Command, phone: Scripted) => void;

export class Scripted implements Backend {
  /** Every command sent, for a test to look at; those that only ask for contacts stand apart. */
  readonly sent: Command[] = [];
  readonly asked: Command[] = [];
  /** How often the main window was asked for. */
  opened = 0;
  /** A desktop with a tray and keys of its own. */
  desk: DesktopView = { tray: true, globalKeys: true, refusedKeys: [], autostartFailed: false, restarted: false };
  readonly shell: Shell = {
    openMain: async () => void (this.opened += 1),
    desktop: async () => this.desk,
    listen: async () => () => {},
  };
  #handlers = new Set<(event: PhoneEvent) => void>();
  #picture: Picture;
  #script: Script;
  /** Who is found where contacts are asked for; where there are none, nothing is answered. */
  contacts: ContactView[] | null;

  constructor(picture: Picture, script: Script = () => {}, contacts: ContactView[] | null = null) {
    this.#picture = picture;
    this.#script = script;
    this.contacts = contacts;
  }

  async send(command: Command): Promise<void> {
    if (command.do === 'findContacts' || command.do === 'search' || command.do === 'askPortrait') {
      if (command.do !== 'askPortrait') this.asked.push(command);
      const told = this.contacts && answer(command, this.contacts);
      if (told) this.emit(told);
      return;
    }
    this.sent.push(command);
    this.#script(command, this);
  }

  async picture(): Promise<Picture> {
    return this.#picture;
  }

  async listen(handler: (event: PhoneEvent) => void): Promise<() => void> {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  /** Lets something happen. */
  emit(...events: PhoneEvent[]): void {
    for (const event of events) this.#handlers.forEach((handler) => handler(event));
  }
}
