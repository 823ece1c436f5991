// The contacts as the window sees them: asked for in parts, as far as they are looked at.
import type { AccountId, Command, ContactDraft, ContactFilter, ContactId, ContactsView, ContactView, HitView, PhoneEvent, Problem } from './backend/backend';

/** Contacts asked for at once. */
const PART = 60;
/** Contacts kept beside those of the list, for one that is looked at. */
const KEPT = 1_000;

/** What was asked for: a part of which list. */
type Asked = { list: number; from: number };

/** What comes of writing a contact: its number, where it is known already. */
export type Saved = { contact: ContactId | null; problem: Problem | null };

export class Contacts {
  /** How it stands with them. */
  view = $state.raw<ContactsView>({ version: 0, count: 0, state: { is: 'none' } });
  /** What they are sought by, and among which. */
  text = $state.raw('');
  filter = $state.raw<ContactFilter>('all');
  /** Those found, as far as they were asked for; gaps where not. */
  rows = $state.raw<readonly (ContactView | undefined)[]>([]);
  total = $state.raw(0);
  /** So many of them, all in front, are favourites. */
  favorites = $state.raw(0);
  /** Whether the list in sight is that of the text and the filter. */
  settled = $state.raw(false);
  /** Contacts by their numbers, as they were told last. */
  known = $state.raw<ReadonlyMap<ContactId, ContactView>>(new Map());
  /** The one that is looked at, and whether it is being written, or a new one. */
  chosen = $state.raw<ContactId | null>(null);
  editing = $state.raw<'new' | 'chosen' | null>(null);
  /** Whom what was typed into the field may mean; nothing before the phone has ever said. */
  hits = $state.raw<HitView[] | null>(null);

  #send: (command: Command) => void;
  #last = 0;
  /** Counts lists: a late answer to a former question is not taken for one to this. */
  #list = 0;
  #asked = new Map<number, Asked>();
  #parts = new Set<number>();
  #sight: [number, number] = [0, PART];
  #search = 0;
  #saving = new Map<number, (saved: Saved) => void>();

  constructor(send: (command: Command) => void) {
    this.#send = send;
  }

  /** Takes how it stands with them; where they are others now, those in sight are asked for anew. */
  show(view: ContactsView): void {
    const others = view.version !== this.view.version;
    this.view = view;
    if (others && this.#list > 0) this.#anew();
  }

  /** Takes an answer. */
  fold(event: Extract<PhoneEvent, { what: 'contactsFound' | 'found' | 'contactSaved' }>): void {
    switch (event.what) {
      case 'contactsFound': {
        const asked = this.#asked.get(event.ask);
        this.#asked.delete(event.ask);
        if (asked?.list !== this.#list) return;
        const { page } = event;
        // The first answer puts the new list in the place of the former: nothing is blank in between.
        const rows = this.settled ? this.rows.slice() : [];
        rows.length = page.total;
        page.contacts.forEach((contact, n) => (rows[page.from + n] = contact));
        [this.rows, this.total, this.favorites, this.settled] = [rows, page.total, page.favorites, true];
        const fresh = page.contacts.map((contact) => [contact.id, contact] as const);
        this.known = new Map([...[...this.known].slice(-KEPT), ...fresh]);
        break;
      }
      case 'found':
        if (event.ask === this.#search) this.hits = event.hits;
        break;
      case 'contactSaved':
        this.#saving.get(event.ask)?.({ contact: event.contact, problem: event.problem });
        this.#saving.delete(event.ask);
        break;
    }
  }

  /** Seeks by another text, or among others. */
  find(text: string, filter: ContactFilter): void {
    if (text === this.text && filter === this.filter && this.#list > 0) return;
    [this.text, this.filter, this.#sight] = [text, filter, [0, PART]];
    this.#anew();
  }

  /** These places of the list are in sight: what is not known of them is asked for. */
  look(from: number, to: number): void {
    this.#sight = [from, Math.max(to, from + 1)];
    this.#ask();
  }

  /** Asks whom to call by what was typed. */
  search(text: string): void {
    this.#search = ++this.#last;
    this.#send({ do: 'search', ask: this.#search, text, most: 8 });
  }

  /** Writes a contact of the user's own, a new one where there is no number. */
  save(id: ContactId | null, account: AccountId | null, draft: ContactDraft): Promise<Saved> {
    const ask = ++this.#last;
    return new Promise((done) => {
      this.#saving.set(ask, done);
      this.#send({ do: 'saveContact', ask, account, id, draft });
    });
  }

  #anew(): void {
    this.#list += 1;
    this.#parts.clear();
    this.#asked.clear();
    this.settled = false;
    this.#ask();
  }

  #ask(): void {
    // Until somebody has looked, nothing needs to be known.
    if (this.#list === 0) return;
    const [from, to] = this.#sight;
    for (let part = Math.floor(from / PART) * PART; part < to && (part === 0 || !this.settled || part < this.total); part += PART) {
      if (this.#parts.has(part)) continue;
      this.#parts.add(part);
      const ask = ++this.#last;
      this.#asked.set(ask, { list: this.#list, from: part });
      this.#send({ do: 'findContacts', ask, text: this.text, filter: this.filter, from: part, most: PART });
    }
  }
}
