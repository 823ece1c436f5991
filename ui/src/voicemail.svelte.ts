// The voicemails, and the sound that is listened to, as the window sees them.
import type { GreetingsView, PhoneEvent, PlayerView, SoundId, VoicemailId, VoicemailsView, VoicemailView } from './backend/backend';

/** Before anything is known of them. */
export const noVoicemails: VoicemailsView = { messages: [], state: { is: 'none' } };

/** Whether these are the same sound. */
export const sameSound = (a: SoundId, b: SoundId): boolean => a.is === b.is && ('id' in a ? a.id : null) === ('id' in b ? b.id : null);

/** Before anything is known of greetings. */
export const noGreetings: GreetingsView = { accounts: [], greetings: [], draft: { is: 'none' } };

export class Voicemail {
  view = $state.raw<VoicemailsView>(noVoicemails);
  /** What is listened to. */
  player = $state.raw<PlayerView | null>(null);
  /** What callers hear before they leave a message. */
  greetings = $state.raw<GreetingsView>(noGreetings);
  /** The greetings are looked at, in place of a message. */
  greeting = $state(false);
  /** The one that is looked at. */
  chosen = $state<VoicemailId | null>(null);
  /** Where a sound was saved last. */
  saved = $state.raw<{ sound: SoundId; path: string } | null>(null);
  /** The one deleted last, as long as it can be kept. */
  deleted = $state.raw<VoicemailView | null>(null);

  /** Those not heard yet, newest first. */
  fresh = $derived(this.view.messages.filter((message) => !message.heard));
  /** Those heard already, newest first. */
  heard = $derived(this.view.messages.filter((message) => message.heard));

  /** What is listened to, where it is this sound. */
  playerOf(sound: SoundId): PlayerView | null {
    return this.player && sameSound(this.player.sound, sound) ? this.player : null;
  }

  /** Takes what a whole picture says. */
  show(view: VoicemailsView, player: PlayerView | null, greetings: GreetingsView): void {
    [this.view, this.player, this.greetings] = [view, player, greetings];
  }

  /** Takes one change of them; whether it was one. */
  fold(event: PhoneEvent): boolean {
    switch (event.what) {
      case 'voicemails':
        this.view = event.view;
        return true;
      case 'greetings':
        this.greetings = event.view;
        return true;
      case 'player':
        this.player = event.view;
        return true;
      case 'playedTo':
        if (this.player) this.player = { ...this.player, atMs: event.atMs };
        return true;
      case 'soundSaved':
        this.saved = { sound: event.sound, path: event.path };
        return true;
      default:
        return false;
    }
  }
}
