// A phone without a phone: it shows the picture it is given and answers commands by a script.
import type { Backend, Command, PhoneEvent, Picture } from './backend';

/** Answers a command, at once or later. */
export type Script = (command: Command, phone: Scripted) => void;

export class Scripted implements Backend {
  /** Every command sent, for a test to look at. */
  readonly sent: Command[] = [];
  #handlers = new Set<(event: PhoneEvent) => void>();
  #picture: Picture;
  #script: Script;

  constructor(picture: Picture, script: Script = () => {}) {
    this.#picture = picture;
    this.#script = script;
  }

  async send(command: Command): Promise<void> {
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
